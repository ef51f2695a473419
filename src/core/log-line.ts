/**
 * The lines of a run's log: `2026-11-22T20:00:05.123Z text`. What a host says ends up in them, so control
 * characters are escaped, and an endless line is cut.
 */
/** In UTF-16 units, so that a line never has more than 32 KiB. */
const longestText = 10_000;

/** One line with its line end. */
export function formatLogLine(now: Date, text: string): string {
  const safe = escapeControls(text.slice(0, longestText));
  const cut = text.length > longestText || safe.length > longestText;
  return `${now.toISOString()} ${cut ? `${safe.slice(0, longestText)} [cut]` : safe}\n`;
}

/** Replaces control characters by their code points, so that no terminal acts on them. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}
