/**
 * The log of the daemon. Messages are constant, the variables are fields: `log.info('backup started', { host })`.
 * `log.child({ run, host })` answers a log that adds these fields to each record. Secrets are removed on the way.
 */
import { appendFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { createLogger, format, transports, type Logger } from 'winston';
import { redact } from './log/redaction.js';
import { openSyslog, syslogLines } from './log/syslog.js';
import { formatTextLine, type LogRecord } from './log/text-line.js';

export type { Logger } from 'winston';

export interface LogSettings {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly format: 'text' | 'json';
  /** Absolute file to append to, or null. */
  readonly file: string | null;
  /** The socket of syslog, or null. With neither file nor syslog, records go to the standard error stream. */
  readonly syslog: string | null;
}

/**
 * Opens the log. Stacks of errors are written at the level debug only. Throws when the file cannot be written; when
 * that happens later, records go to the standard error stream instead.
 */
export function createLog(settings: LogSettings): Logger {
  const { file, syslog } = settings;
  const withStack = settings.level === 'debug';
  const print = settings.format === 'json' ? formatJsonLine : formatTextLine;
  const sinks: transports.StreamTransportInstance[] = [];
  if (syslog !== null) {
    const stream = openSyslog(syslog, (text) => void process.stderr.write(text));
    // Syslog notes the time itself.
    const lines = printed((record) => syslogLines(record.level, print({ ...record, time: '' })));
    sinks.push(new transports.Stream({ stream, eol: '', format: lines }));
  }
  if (file !== null || syslog === null) {
    const stream = file === null ? process.stderr : appendingTo(file);
    sinks.push(new transports.Stream({ stream, eol: '\n', format: printed(print) }));
  }
  return createLogger({
    level: settings.level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    // The record is made here, where an error given in place of a message is still whole.
    format: format.combine(
      format.timestamp(),
      format((info) => Object.assign(info, { record: toRecord(info, withStack) }))(),
    ),
    transports: sinks,
  });
}

function printed(print: (record: LogRecord) => string): ReturnType<typeof format.printf> {
  return format.printf(({ record }) => print(record as LogRecord));
}

function toRecord(info: object, withStack: boolean): LogRecord {
  // An error given in place of a message is the info itself, and its message is not enumerable.
  const { message: given, stack } = info as { message?: unknown; stack?: unknown };
  const { level, message, timestamp, ...rest } = redact(
    { ...info, message: given, stack },
    withStack,
  ) as Record<string, unknown>;
  const { stack: kept, ...fields } = rest;
  return {
    time: String(timestamp),
    level: String(level),
    message: typeof message === 'string' ? message : JSON.stringify(message ?? null),
    fields: withStack && kept !== undefined ? { ...fields, stack: kept } : fields,
  };
}

function formatJsonLine({ time, level, message, fields }: LogRecord): string {
  return JSON.stringify({ time: time || undefined, level, message, ...fields });
}

/** Opens the file anew for each record, so that it can be rotated away at any time and no record waits in memory. */
function appendingTo(file: string): Writable {
  const append = (text: string): void => appendFileSync(file, text, { mode: 0o640 });
  try {
    append('');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The log file ${file} cannot be written: ${why}. Create its directory or correct log.file.`,
      {
        cause: error,
      },
    );
  }
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      try {
        append(text);
      } catch {
        process.stderr.write(text);
      }
      done();
    },
  });
}
