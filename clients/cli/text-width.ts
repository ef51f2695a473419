/** How many columns a terminal needs for a text that holds no control characters. */
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})/u;

/** Cuts a text to at most so many columns; what was cut ends in an ellipsis. */
export function cutToColumns(text: string, columns: number): string {
  let used = 0;
  let kept = '';
  let keptWithEllipsis = '';
  for (const char of text) {
    used += widthOf(char);
    if (used > columns) return columns < 1 ? '' : `${keptWithEllipsis}…`;
    kept += char;
    if (used < columns) keptWithEllipsis = kept;
  }
  return kept;
}

function widthOf(char: string): number {
  if (/^\p{M}/u.test(char)) return 0;
  return wide.test(char) ? 2 : 1;
}
