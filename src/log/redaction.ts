/** Keeps secrets out of what is written, and makes plain data of whatever is given to the log. */

const hidden = '[redacted]';
const secretKey = /password|passwd|passphrase|token|secret|private[-_ ]?key/i;
const deepest = 8;

/** An error as the log shows it. */
export interface LoggedError {
  readonly message: string;
  readonly stack?: string;
  readonly cause?: unknown;
}

/**
 * A copy of a value as plain data for the log. Values below keys that name secrets, and passwords inside URLs, are
 * replaced at any depth; loops and what lies deeper than eight levels are cut; errors become LoggedError, with their
 * stack only when `withStack` is set. Never throws.
 */
export function redact(value: unknown, withStack: boolean): unknown {
  return copy(value, { withStack, above: [] });
}

/** Replaces user and password in every URL of a text. */
export function hideUrlPassword(text: string): string {
  // The bounds keep a text made to be slow from being slow.
  return text.replace(/:\/\/[^\s/@:]{0,200}:[^\s"'<>]{1,500}@/g, `://${hidden}@`);
}

interface Place {
  readonly withStack: boolean;
  /** The objects around the value. */
  readonly above: readonly object[];
}

/** A getter may throw; the rest of the record is written all the same. */
function copy(value: unknown, place: Place): unknown {
  try {
    return copyReadable(value, place);
  } catch {
    return '[unreadable]';
  }
}

function copyReadable(value: unknown, place: Place): unknown {
  if (typeof value === 'string') return hideUrlPassword(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return '[function]';
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[no date]' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (place.above.includes(value)) return '[loop]';
  if (place.above.length >= deepest) return '[too deep]';
  const inside: Place = { ...place, above: [...place.above, value] };
  if (value instanceof Error) return copyError(value, inside);
  if (value instanceof Map)
    return copyEntries(
      [...value].map(([key, part]) => [String(key), part]),
      inside,
    );
  if (Array.isArray(value) || value instanceof Set)
    return Array.from(value, (part: unknown) => copy(part, inside));
  return copyEntries(Object.entries(value), inside);
}

function copyEntries(
  entries: readonly (readonly [string, unknown])[],
  place: Place,
): Record<string, unknown> {
  return Object.fromEntries(
    entries.map(([key, part]) => [key, secretKey.test(key) ? hidden : copy(part, place)]),
  );
}

function copyError(error: Error, place: Place): LoggedError {
  return {
    message: hideUrlPassword(error.message),
    ...(place.withStack && error.stack ? { stack: hideUrlPassword(error.stack) } : {}),
    ...(error.cause === undefined ? {} : { cause: copy(error.cause, place) }),
  };
}
