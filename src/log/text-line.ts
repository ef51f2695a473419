/**
 * One record of the log as a person reads it: `2026-11-22T20:00:01.123Z info  message key=value ...`. What comes
 * from outside cannot forge a record: control characters are escaped, and the lines of a stack are indented.
 */
import { escapeControls } from '../core/log-line.js';

export interface LogRecord {
  /** RFC 3339, UTC; empty where something else notes time and level. */
  readonly time: string;
  readonly level: string;
  readonly message: string;
  /** Plain data without secrets. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The record without a line end; the stacks of errors follow on lines of their own. */
export function formatTextLine({ time, level, message, fields }: LogRecord): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const words = given.map(([key, value]) => `${escapeControls(key)}=${valueText(value)}`);
  const head = time === '' ? [] : [time, level.padEnd(5)];
  const first = [...head, escapeControls(message), ...words].join(' ');
  return [first, ...given.flatMap(([, value]) => stackLines(value))].join('\n');
}

function valueText(value: unknown): string {
  const text = isMessage(value) ? messageText(value) : value;
  if (typeof text !== 'string') return escapeControls(JSON.stringify(text));
  return text !== '' && !/[\s"=]/.test(text) ? escapeControls(text) : escapeControls(JSON.stringify(text));
}

/** An error as one sentence, with what caused it. */
function messageText({ message, cause }: { message: string; cause?: unknown }): string {
  return isMessage(cause) ? `${message} (caused by: ${messageText(cause)})` : message;
}

function isMessage(value: unknown): value is { message: string; cause?: unknown; stack?: unknown } {
  return (
    typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
  );
}

function stackLines(value: unknown): string[] {
  if (!isMessage(value)) return [];
  const stack = typeof value.stack === 'string' ? value.stack.split('\n') : [];
  return [...stack.map((line) => `    ${escapeControls(line.trim())}`), ...stackLines(value.cause)];
}
