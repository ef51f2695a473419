/** Cuts a text in the syntax of libconfig into its words, each with its place. */

export type Token =
  | ({ readonly kind: 'name' | 'string'; readonly text: string } & Place)
  | ({ readonly kind: 'number'; readonly value: number | bigint } & Place)
  | ({ readonly kind: 'boolean'; readonly value: boolean } & Place)
  | ({ readonly kind: 'mark'; readonly text: string } & Place)
  | ({ readonly kind: 'end' } & Place);

/** Both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Thrown for a text that is not libconfig's syntax. */
export class LibconfigError extends Error {
  constructor(
    readonly place: Place,
    readonly wrong: string,
    readonly allowed: string,
  ) {
    super(`${place.line}:${place.column}: ${wrong}; allowed: ${allowed}`);
    this.name = 'LibconfigError';
  }
}

/** All words, with one of the kind `end` as the last. Throws a LibconfigError. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const placeOf = placeFinder(text);
  let offset = 0;
  while (offset < text.length) {
    const place = placeOf(offset);
    const rest = sticky(text, offset);
    const blank = rest(/(?:\s|(?:#|\/\/)[^\n]*|\/\*[^]*?\*\/)+/y);
    const word =
      blank === null ? rest(/"(?:[^"\\]|\\[^])*"|[A-Za-z*][-\w*]*|[-+.\d][-+.\w]*|[=:,;{}()[\]]/y) : null;
    if (word !== null) tokens.push({ ...tokenOf(word, place), ...place });
    else if (blank === null) throw unreadable(text, offset, place);
    offset += (blank ?? word ?? '').length;
  }
  return [...tokens, { kind: 'end', ...placeOf(text.length) }];
}

type Content<T> = T extends Place ? Omit<T, keyof Place> : never;

function tokenOf(word: string, place: Place): Content<Token> {
  if (word.startsWith('"')) return { kind: 'string', text: unescaped(word.slice(1, -1)) };
  if (/^(true|false)$/i.test(word)) return { kind: 'boolean', value: word.toLowerCase() === 'true' };
  if (/^[A-Za-z*]/.test(word)) return { kind: 'name', text: word };
  if (/^[-+.\d]/.test(word)) return numberToken(word, place);
  return { kind: 'mark', text: word };
}

function numberToken(word: string, place: Place): Content<Token> {
  const [, sign = '', digits] = /^([-+]?)(\d+|0x[\da-f]+)l{0,2}$/i.exec(word) ?? [];
  if (digits !== undefined && digits.length <= 20) {
    const value = BigInt(digits) * (sign === '-' ? -1n : 1n);
    return { kind: 'number', value: Number.isSafeInteger(Number(value)) ? Number(value) : value };
  }
  const isFloat = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(word) && /[.e]/i.test(word);
  if (isFloat && Number.isFinite(Number(word))) return { kind: 'number', value: Number(word) };
  const allowed = 'numbers such as 10, 0.5, 1e3, 0x1F and 64L';
  throw new LibconfigError(place, `${JSON.stringify(word)} is no number`, allowed);
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  f: '\f',
  '\\': '\\',
  '"': '"',
};

/** A backslash before any other letter stands for itself, as libconfig reads it. */
function unescaped(text: string): string {
  return text.replace(
    /\\(?:x([\da-f]{2})|([abnrtvf\\"]))/gi,
    (whole, hex: string | undefined, letter = '') =>
      hex === undefined ? (escapes[letter] ?? whole) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function unreadable(text: string, offset: number, place: Place): LibconfigError {
  if (text.startsWith('"', offset)) return new LibconfigError(place, 'this text has no end', 'a closing "');
  if (text.startsWith('/*', offset))
    return new LibconfigError(place, 'this comment has no end', 'a closing */');
  if (text.startsWith('@include', offset)) {
    const allowed = 'one file: put the text of the other in the place of this line';
    return new LibconfigError(place, '@include is not followed', allowed);
  }
  const sign = String.fromCodePoint(text.codePointAt(offset) ?? 0);
  const allowed = 'settings such as name = "value"; with { } ( ) [ ] around several';
  return new LibconfigError(place, `${JSON.stringify(sign)} has no meaning here`, allowed);
}

/** Matches at one offset only. */
function sticky(text: string, offset: number): (pattern: RegExp) => string | null {
  return (pattern) => {
    pattern.lastIndex = offset;
    return pattern.exec(text)?.[0] ?? null;
  };
}

/** Offsets must be asked for in ascending order. */
function placeFinder(text: string): (offset: number) => Place {
  let line = 1;
  let lineStart = 0;
  return (offset) => {
    for (
      let next = text.indexOf('\n', lineStart);
      next >= 0 && next < offset;
      next = text.indexOf('\n', lineStart)
    ) {
      line += 1;
      lineStart = next + 1;
    }
    return { line, column: offset - lineStart + 1 };
  };
}
