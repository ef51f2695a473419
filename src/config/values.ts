/** How single values of the configuration are read. Each function answers the value, or what is wrong with the text. */
import { posix } from 'node:path';
import { isIP } from 'node:net';
import { hostNamePattern } from '../core/host.js';
import { quoted } from './quoted.js';

export type Reading<T> = { readonly value: T } | { readonly wrong: string };

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const longestHostName = 100;

/** An absolute path without `..`; answers it without doubled slashes, `.` and a slash at the end. */
export function readAbsolutePath(text: string): Reading<string> {
  if (text === '') return { wrong: 'is empty' };
  if (hasControl(text)) return { wrong: 'holds a line break or another control character' };
  if (text.startsWith('~')) return { wrong: `is ${quoted(text)}, and ~ stands for nothing here` };
  if (!text.startsWith('/')) return { wrong: `is the relative path ${quoted(text)}` };
  if (text.split('/').includes('..')) return { wrong: `is ${quoted(text)}, which holds ".."` };
  const path = posix.normalize(text);
  return { value: path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path };
}

/** A duration such as 30s, 10m, 2h or 1d, or a number of seconds; answers milliseconds. */
export function readDuration(text: string): Reading<number> {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd]?)$/.exec(text);
  const factor = unitMs[match?.[2] || 's'];
  if (match?.[1] === undefined || factor === undefined)
    return { wrong: `is ${quoted(text)}, which is no duration` };
  return { value: Math.round(Number(match[1]) * factor) };
}

/** The name of a host, which is also the name of its directory. */
export function readHostName(text: string): Reading<string> {
  if (text.length > longestHostName) return { wrong: `has ${text.length} characters` };
  return hostNamePattern.test(text) ? { value: text } : { wrong: `is ${quoted(text)}` };
}

export function readHostname(text: string): Reading<string> {
  if (text === 'None') return { wrong: 'is "None": leave the line out instead, then it is not compared' };
  return readAddress(text);
}

/** A name or a literal address, without user and port. */
export function readAddress(text: string): Reading<string> {
  const shown = quoted(text);
  if (isIP(text) !== 0) return { value: text };
  if (text.includes('@')) return { wrong: `is ${shown}: the user belongs into user` };
  if (/^[^:]+:\d+$/.test(text)) return { wrong: `is ${shown}: the port belongs into port` };
  const isName = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?$/.test(text);
  return isName ? { value: text } : { wrong: `is ${shown}` };
}

export function readUser(text: string): Reading<string> {
  return /^[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,99}\$?$/.test(text)
    ? { value: text }
    : { wrong: `is ${quoted(text)}` };
}

/** A pattern in rsync's syntax. A lone `!` would make rsync forget all patterns before it. */
export function readPattern(text: string): Reading<string> {
  if (text.trim() === '') return { wrong: 'is empty' };
  if (hasControl(text)) return { wrong: 'holds a line break or another control character' };
  return text.trim() === '!'
    ? { wrong: 'is "!", which would cancel all patterns before it' }
    : { value: text };
}

/** A rate in the syntax of rsync's --bwlimit (1024 bytes per second without a unit); 0 answers the empty text. */
export function readBandwidth(text: string): Reading<string> {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(?:(b)|([kmgt])(?:i?b)?)?$/i.exec(text);
  if (!match && text !== '') return { wrong: `is ${quoted(text)}, which is no rate` };
  const [, number = '0', isBytes, unit = 'k'] = match ?? [];
  const bytes = Number(number) * (isBytes ? 1 : 1024 ** ' kmgt'.indexOf(unit.toLowerCase()));
  if (bytes === 0) return { value: '' };
  return bytes < 512 ? { wrong: `is ${quoted(text)}, slower than rsync can be told to be` } : { value: text };
}

/** One word of the command that starts rsync on a host; it becomes part of a remote command line as it is. */
export function readCommandWord(text: string): Reading<string> {
  return /^[A-Za-z0-9_./=@%+,-]+$/.test(text) ? { value: text } : { wrong: `is ${quoted(text)}` };
}

/** A command line for a shell, as the administrator wrote it; the empty text takes a default back. */
export function readCommandLine(text: string): Reading<string> {
  return hasControl(text)
    ? { wrong: 'holds a line break or another control character' }
    : { value: text.trim() };
}

/**
 * Splits a text at white space; single and double quotes keep white space together. Null when a quote is not closed.
 */
export function splitWords(text: string): string[] | null {
  const words: string[] = [];
  const pattern = /\s+|((?:[^\s'"]|'[^']*'|"[^"]*")+)|(['"])/g;
  for (const [, word, openQuote] of text.matchAll(pattern)) {
    if (openQuote !== undefined) return null;
    if (word !== undefined)
      words.push(word.replace(/'([^']*)'|"([^"]*)"/g, (_, single = '', double = '') => `${single}${double}`));
  }
  return words;
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
