/**
 * The lines of a run's log: `2026-11-22T20:00:05.123Z text`. What a host says ends up in them, so control
 * characters are escaped, and an endless line is cut.
 */
/** In UTF-16 units, so that a line never has more than 32 KiB. */
const longestText = 10_000;

/** One line with its line end. */
export function formatLogLine(now: Date, text: string): string {
  const safe = escapeControls(text.length > longestText ? cutAt(text, longestText) : text);
  const cut = text.length > longestText || safe.length > longestText;
  return `${now.toISOString()} ${cut ? `${cutAt(safe, longestText)} [cut]` : safe}\n`;
}

/** Cuts a text, but no character of two UTF-16 units in half. */
function cutAt(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}

/** Makes control characters visible (`\n`, `\x1b`, `\u{2028}`), so that no terminal acts on them. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, (char) => {
    const short = shortEscapes[char];
    if (short !== undefined) return short;
    const hex = (char.codePointAt(0) ?? 0).toString(16);
    return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
  });
}

const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** What stands in a log where lines are missing. */
export function missingLinesText(count: number): string {
  return `[${count === 1 ? 'one line is' : `${count} lines are`} missing here: the log could not be written]`;
}
