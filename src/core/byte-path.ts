/**
 * Paths as the file system has them: bytes. They are kept as strings with one character a byte (Latin-1), which
 * compare, sort and serve as keys byte by byte, whatever encoding a name has or has not. Pure.
 */

/** One character a byte; never to be shown or written as it is. */
export type BytePath = string;

/**
 * The order of a manifest: byte by byte, with the slash before all others, so that a directory is followed by all
 * that is below it, and then by its next sibling. A walk that sorts each directory by name goes in this order.
 */
export function comparePaths(a: BytePath, b: BytePath): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === length) return a.length - b.length;
  if (a[at] === '/') return -1;
  if (b[at] === '/') return 1;
  return a.charCodeAt(at) - b.charCodeAt(at);
}

/** As text of printable ASCII without blanks: any other byte, and the percent sign, stands as `%XX`. */
export function escapePath(path: BytePath): string {
  return path.replace(/[^!-$&-~]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** The way back. */
export function unescapePath(text: string): BytePath {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** For people: UTF-8 as it is; what is not, and control characters, as `\#ooo` (octal), as rsync shows them. */
export function showPath(path: BytePath): string {
  const plain = path.replace(/[^ -~\u0080-\u00ff]|\\(?=#[0-7]{3})/g, octal);
  return textOf(plain) ?? plain.replace(/[\u0080-\u00ff]/g, octal);
}

/** The way back from `showPath`; null when an escape in it stands for no byte. */
export function parseShownPath(text: string): BytePath | null {
  const pieces = text.split(/\\#([0-7]{3})/);
  const bytes = pieces.map((piece, index) => {
    return index % 2 === 0 ? bytesOf(piece) : String.fromCharCode(Number.parseInt(piece, 8));
  });
  return bytes.every((piece, index) => index % 2 === 0 || piece <= '\u00ff') ? bytes.join('') : null;
}

/** Text from elsewhere, as the bytes it has on the disk. */
export function bytesOf(text: string): BytePath {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}

/** The text that the bytes are in UTF-8; null when they are none. */
export function textOf(path: BytePath): string | null {
  if (!/[\u0080-\u00ff]/.test(path)) return path;
  try {
    const bytes = Uint8Array.from(path, (byte) => byte.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function octal(byte: string): string {
  return `\\#${byte.charCodeAt(0).toString(8).padStart(3, '0')}`;
}
