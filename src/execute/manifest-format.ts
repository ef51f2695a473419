/**
 * The lines of `manifest.gz`, the list of all that is in a snapshot. It is gzip of text, so that `zcat` and `grep` can
 * read it when nothing else is left. The first line names the format, the last one counts and hashes all before it:
 * a manifest without it was cut off.
 *
 *   busy-manifest 1
 *   TYPE MODE UID GID SIZE MTIME INODE HASH PATH [TARGET]
 *   end ENTRIES FILES BYTES UNREADABLE SHA256
 *
 * TYPE is one letter, MODE is octal, MTIME in nanoseconds since 1970, HASH the SHA-256 of the content in hex, `-` for
 * what has none, and `!CODE` for what could not be read. PATH is that on the host, and TARGET what a symlink points to
 * or the numbers of a device; bytes other than printable ASCII stand as %XX. The order is that of `comparePaths`.
 */
import { escapePath, unescapePath } from '../core/byte-path.js';
import type { EntryType, ManifestEntry, ManifestTotals, TreeEntry } from '../core/manifest.js';

export const firstLine = 'busy-manifest 1';
export const manifestName = 'manifest.gz';

/** The manifest cannot be trusted: it is cut off, damaged, or of a version that is not known. */
export class ManifestUnusable extends Error {
  override readonly name = 'ManifestUnusable';
}

export function formatEntry(entry: ManifestEntry): string {
  return formatLine(entry, entry.hash, entry.error);
}

/** The same of an entry as the disk has it, and what its content is. */
export function formatLine(entry: TreeEntry | ManifestEntry, hash: string, error: string): string {
  const content = error !== '' ? `!${error}` : hash === '' ? '-' : hash;
  const end = entry.target === '' ? '' : ` ${escapePath(entry.target)}`;
  return `${formatAttributes(entry)}${content} ${escapePath(entry.path)}${end}`;
}

/** How a line begins: all that stands before the content, and the blank after it. */
export function formatAttributes(entry: TreeEntry | ManifestEntry): string {
  const { type, mode, uid, gid, size, mtimeNs, inode } = entry;
  return `${letters[type]} ${mode.toString(8)} ${uid} ${gid} ${size} ${mtimeNs} ${inode} `;
}

/** Throws ManifestUnusable. */
export function parseEntry(line: string): ManifestEntry {
  const [letter = '', mode = '', uid, gid, size, mtimeNs, inode, content, path, target = ''] =
    line.split(' ');
  const type = types.get(letter);
  if (
    !type ||
    mtimeNs === undefined ||
    inode === undefined ||
    content === undefined ||
    !path?.startsWith('/')
  )
    throw new ManifestUnusable(`a line of it cannot be read: ${line.slice(0, 200)}`);
  return {
    path: unescapePath(path),
    type,
    mode: Number.parseInt(mode, 8),
    uid: Number(uid),
    gid: Number(gid),
    size: Number(size),
    mtimeNs,
    inode,
    target: unescapePath(target),
    hash: content === '-' || content.startsWith('!') ? '' : content,
    error: content.startsWith('!') ? content.slice(1) : '',
  };
}

/** `sum` is the hash of all lines before, with their line ends. */
export function formatEnd({ entries, files, bytes, unreadable }: ManifestTotals, sum: string): string {
  return `end ${entries} ${files} ${bytes} ${unreadable} ${sum}`;
}

/** Null when the line is not the last one. */
export function parseEnd(line: string): { totals: ManifestTotals; sum: string } | null {
  const match = /^end (\d+) (\d+) (\d+) (\d+) ([0-9a-f]{64})$/.exec(line);
  if (!match) return null;
  const [entries = 0, files = 0, bytes = 0, unreadable = 0] = match.slice(1, 5).map(Number);
  return { totals: { entries, files, bytes, unreadable }, sum: match[5] ?? '' };
}

const letters: Readonly<Record<EntryType, string>> = {
  file: 'f',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  socket: 's',
  'character device': 'c',
  'block device': 'b',
  unknown: '?',
};

const types: ReadonlyMap<string, EntryType> = new Map(
  Object.entries(letters).map(([type, letter]) => [letter, type as EntryType]),
);
