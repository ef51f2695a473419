/**
 * Names of files. A name or path is a text with one character a byte (latin1), since not all are UTF-8; the root of a
 * tree is the empty path.
 */
import type { Random } from './random.js';

const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

/** What shells, rsync and careless programs trip over, and names that the store itself uses. */
const strangeNames = [
  [' ', '  two words ', '...', '-rf', '--delete', '~', '*', '?', '[a-z]', '{a,b}', '!', '#', ';', '|', '&'],
  ['"', "'", '\\', 'back\\', '\\#012', '%2F', '$HOME', '$(id)', '`id`', ':', 'user@host:path', '+ rule'],
  ['\n', 'new\nline', 'a\r', '\t', '\u0007', '\u001B[31m', '\u0001', '\u007F', 'n'.repeat(255)],
  [utf8('é'), utf8('e\u0301'), utf8('日本'), utf8('\u202E'), utf8('ä'.repeat(127)), utf8('\u{1F4BE}')],
  // ISO 8859-1, a cut and an overlong sequence of UTF-8, and bytes that are in neither.
  ['f\u00FCr', '\u00E2\u0082', '\u00C0\u00AF', '\u00FF', '\u00FF\u00FE'],
  ['partial.json', 'snapshot.json', 'backup.log', 'data', '.partial-2026-01-01_00-00-00f'],
  ['.removed-2026-01-01_00-00-00f', '2026-01-01_00-00-00f', '.file.AbCdEf', '.busyd.lock', 'CASE', 'case'],
].flat();

/** A name that is not taken in this directory (its path). */
export function freshPath(random: Random, directory: string, isTaken: (path: string) => boolean): string {
  for (;;) {
    const name = random.chance(0.3)
      ? random.pick(strangeNames)
      : `${random.pick(['f', 'd.'])}${random.below(400)}`;
    const path = inDirectory(directory, name);
    if (!isTaken(path)) return path;
  }
}

export function inDirectory(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The path below a directory of the file system, as its functions take it. */
export function bytePath(root: string, path: string): Buffer {
  return Buffer.from(
    path === '' ? root : `${Buffer.from(root).toString('latin1')}/${path}`,
    path === '' ? 'utf8' : 'latin1',
  );
}

/** For people. */
export function shown(path: string): string {
  return JSON.stringify(path.length > 40 ? `${path.slice(0, 30)}... (${path.length} bytes)` : path);
}
