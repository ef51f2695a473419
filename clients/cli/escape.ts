/**
 * Texts from the server may hold file names and messages that a hostile host chose. Here everything that could
 * move the cursor, recolour, reorder or break lines of a terminal becomes visible.
 */
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** For text output: `\n`, `\t`, `\x1b`, `\u{202e}`. */
export function escapeText(text: string): string {
  return text.replace(hidden, (char) => {
    if (char === '\n') return '\\n';
    if (char === '\t') return '\\t';
    const hex = (char.codePointAt(0) ?? 0).toString(16);
    return hex.length <= 2 ? `\\x${hex.padStart(2, '0')}` : `\\u{${hex}}`;
  });
}

/** For one JSON document without spaces between its parts: the value stays the same, only its spelling changes. */
export function escapeJson(json: string): string {
  return json.replace(hidden, (char) =>
    Array.from({ length: char.length }, (_, index) => {
      return `\\u${char.charCodeAt(index).toString(16).padStart(4, '0')}`;
    }).join(''),
  );
}
