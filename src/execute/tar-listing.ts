/**
 * The members of a tarball as GNU tar lists them, whatever program has written it. It quotes names as C does, so they may
 * hold any bytes.
 */
import { createInterface } from 'node:readline';
import type { ArchiveFormat } from '../core/archive.js';
import type { BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import { describeEnding, startProcess } from './process.js';

export interface ListedMember {
  /** As in the tarball, without a slash at the end. */
  readonly path: BytePath;
  /** `link`: another name of the member that `target` names. */
  readonly type: 'directory' | 'link' | 'other';
  /** Of the content, holes included. */
  readonly bytes: number;
  /** Of a link; else empty. */
  readonly target: BytePath;
}

const checkEveryMs = 200;

/** What is said when a program is missing, was killed, or lacked memory; 13 is a pipe that tar itself has closed. */
const ofTheMachine =
  /Cannot (?:exec|fork)|(?:allocate|not enough|too much|out of) memory|memory exhausted|Child died with signal (?!13\b)/i;

/**
 * All members in their order. `check` is called now and then, and what it throws ends the listing. Throws
 * ARCHIVE_NOT_RESTORABLE when the tarball is broken; an Error when tar or the program that decompresses could not do its
 * work, which tells nothing of the tarball.
 */
export async function* listTarball(
  archive: string,
  format: ArchiveFormat,
  check: () => void,
): AsyncGenerator<ListedMember> {
  const stop = new AbortController();
  const tar = startProcess('tar', [...listArguments(format), `--file=${archive}`], stop.signal);
  tar.stdin.end();
  let words = '';
  tar.stderr.on('data', (chunk: Buffer) => (words = `${words}${chunk.toString()}`.slice(-1000)));
  const ended = tar.ended.catch((error: Error) => error);
  let thrown: unknown = null;
  const timer = setInterval(() => {
    try {
      check();
    } catch (error) {
      thrown = error;
      stop.abort();
    }
  }, checkEveryMs);
  try {
    for await (const line of createInterface({ input: tar.stdout, crlfDelay: Infinity })) {
      const member = parseListed(line);
      if (member) yield member;
    }
    const ending = await ended;
    if (thrown !== null) throw thrown;
    if (ending instanceof Error) throw ending;
    if (ending.code === 0) return;
    const detail = `tar ended with ${describeEnding(ending)}: ${words.trim()}`;
    if (ending.code === null || ofTheMachine.test(words)) throw new Error(detail);
    throw new BusyError('ARCHIVE_NOT_RESTORABLE', { archive, detail });
  } finally {
    clearInterval(timer);
    stop.abort();
    tar.stdout.destroy();
    await ended;
  }
}

function listArguments(format: ArchiveFormat): string[] {
  return [
    '--list',
    '--verbose',
    '--numeric-owner',
    '--full-time',
    '--quoting-style=c',
    format === 'tar.gz' ? '--gzip' : '--zstd',
    // A colon in a name would else be taken for a machine.
    '--force-local',
  ];
}

const quoted = String.raw`"((?:[^"\\]|\\.)*)"`;
const linePattern = new RegExp(
  String.raw`^([-dhlcbpCs])\S+ +\S+ +(\d+|\d+, *\d+) \S+ \S+ ${quoted}(?: (?:->|link to) ${quoted})?$`,
);

/** Null for what is no file: labels and the like. */
export function parseListed(line: string): ListedMember | null {
  const [, sign = '', size = '', path = '', target = ''] = linePattern.exec(line) ?? [];
  if (sign === '') return null;
  const type = sign === 'd' ? 'directory' : sign === 'h' ? 'link' : 'other';
  return {
    path: unquote(path).replace(/(?<=.)\/+$/, ''),
    type,
    bytes: size.includes(',') ? 0 : Number(size),
    target: type === 'link' ? unquote(target) : '',
  };
}

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function unquote(text: string): BytePath {
  return text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (escapes[code] ?? code),
  );
}
