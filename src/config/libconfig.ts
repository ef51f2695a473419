/**
 * Reads the syntax of libconfig, in which the original BUSY was configured: settings `name = value;`, groups in
 * braces, lists in parentheses, arrays in brackets. `@include` is refused.
 */
import { LibconfigError, tokensOf, type Place, type Token } from './libconfig-tokens.js';

export type LibconfigValue =
  /** bigint: a whole number that a number cannot hold exactly. */
  string | number | bigint | boolean | readonly LibconfigValue[] | LibconfigGroup;

/** The settings of a group by name, in the order of the file. */
export type LibconfigGroup = ReadonlyMap<string, LibconfigSetting>;

export interface LibconfigSetting {
  readonly value: LibconfigValue;
  /** Of the name, from 1. */
  readonly line: number;
}

/** The settings of a whole file. Throws a LibconfigError, which has the place, for what libconfig would refuse too. */
export function parseLibconfig(text: string): LibconfigGroup {
  const reader = new Reader(tokensOf(text.replace(/^\uFEFF/, '')));
  return readSettings(reader, 'end', 0);
}

export function isGroup(value: LibconfigValue): value is LibconfigGroup {
  return value instanceof Map;
}

/** Deeper files are made to break their readers. */
const deepest = 50;

const aValue = 'a text in quotes, a number, true, false, { }, ( ) or [ ]';

class Reader {
  private index = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get next(): Token {
    return this.tokens[this.index] ?? { kind: 'end', line: 1, column: 1 };
  }

  take(): Token {
    const token = this.next;
    this.index += 1;
    return token;
  }

  takeMark(...marks: readonly string[]): boolean {
    const isThere = this.next.kind === 'mark' && marks.includes(this.next.text);
    if (isThere) this.index += 1;
    return isThere;
  }
}

function readSettings(reader: Reader, end: '}' | 'end', depth: number): LibconfigGroup {
  const settings = new Map<string, LibconfigSetting>();
  for (;;) {
    if (end === 'end' ? reader.next.kind === 'end' : reader.takeMark(end)) return settings;
    const name = reader.take();
    const ending = end === 'end' ? 'the end of the file' : '}';
    if (name.kind !== 'name') throw unexpected(name, `the name of a setting, or ${ending}`);
    if (settings.has(name.text))
      throw wrongAt(name, `${name.text} stands there twice`, 'each name once in a group');
    if (!reader.takeMark('=', ':')) throw unexpected(reader.next, `= or : after ${name.text}`);
    settings.set(name.text, { value: readValue(reader, depth), line: name.line });
    reader.takeMark(';', ',');
  }
}

function readValue(reader: Reader, depth: number): LibconfigValue {
  const token = reader.take();
  if (depth >= deepest) throw wrongAt(token, 'this lies too deep', `at most ${deepest} levels`);
  if (token.kind === 'string') return readText(reader, token.text);
  if (token.kind === 'number' || token.kind === 'boolean') return token.value;
  if (token.kind === 'mark' && token.text === '{') return readSettings(reader, '}', depth + 1);
  if (token.kind === 'mark' && token.text === '(') return readItems(reader, ')', depth + 1);
  if (token.kind === 'mark' && token.text === '[') return readArray(reader, depth + 1);
  throw unexpected(token, aValue);
}

/** Texts that stand behind each other are one. */
function readText(reader: Reader, first: string): string {
  const parts = [first];
  for (let token = reader.next; token.kind === 'string'; token = reader.next) {
    parts.push(token.text);
    reader.take();
  }
  return parts.join('');
}

/** A comma may stand behind the last one. */
function readItems(reader: Reader, end: ')' | ']', depth: number): LibconfigValue[] {
  const items: LibconfigValue[] = [];
  while (!reader.takeMark(end)) {
    items.push(readValue(reader, depth));
    if (reader.takeMark(',')) continue;
    if (!reader.takeMark(end)) throw unexpected(reader.next, `a comma or ${end}`);
    break;
  }
  return items;
}

/** Arrays hold plain values of one kind. */
function readArray(reader: Reader, depth: number): LibconfigValue[] {
  const first = reader.next;
  const items = readItems(reader, ']', depth);
  const isPlain = items.every((item) => typeof item !== 'object');
  const kinds = new Set(items.map((item) => (typeof item === 'bigint' ? 'number' : typeof item)));
  if (isPlain && kinds.size <= 1) return items;
  throw wrongAt(first, 'this array mixes its values', 'texts only or numbers only in [ ]; everything in ( )');
}

function unexpected(token: Token, allowed: string): LibconfigError {
  return wrongAt(token, `${shown(token)} is not expected here`, allowed);
}

function wrongAt({ line, column }: Place, wrong: string, allowed: string): LibconfigError {
  return new LibconfigError({ line, column }, wrong, allowed);
}

/** Texts are not repeated: one of them may be a password. */
function shown(token: Token): string {
  switch (token.kind) {
    case 'name':
      return token.text;
    case 'mark':
      return JSON.stringify(token.text);
    case 'string':
      return 'a text';
    case 'number':
    case 'boolean':
      return String(token.value);
    case 'end':
      return 'the end of the file';
    default:
      return token satisfies never;
  }
}
