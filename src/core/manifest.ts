/**
 * What a manifest knows of each entry of a snapshot, and what it means when the disk tells something else. Pure.
 * Attributes are those of the snapshot on the server's disk. Extended attributes and ACLs are not in it.
 */
import { showPath, type BytePath } from './byte-path.js';

export type EntryType =
  'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'character device' | 'block device' | 'unknown';

/** An entry as the disk has it, before its content is looked at. */
export interface TreeEntry {
  /** The path on the host: `/` is the top of the snapshot's data. */
  readonly path: BytePath;
  /** `unknown`: not even its attributes could be read; the others then mean nothing. */
  readonly type: EntryType;
  /** The permission bits, setuid, setgid and sticky included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of files only; 0 for all else. */
  readonly size: number;
  /** Nanoseconds since 1970, decimal. */
  readonly mtimeNs: string;
  /** Decimal. Links to one file have one; it says nothing on another file system. */
  readonly inode: string;
  /** Where a symlink points, or the numbers of a device as `MAJOR:MINOR`; else empty. */
  readonly target: BytePath;
  /** How many names the file has, in all snapshots together. Not kept. */
  readonly links: number;
  /** Why something of it could not be read (a code such as EACCES); else empty. */
  readonly error: string;
}

export interface ManifestEntry extends Omit<TreeEntry, 'links'> {
  /** SHA-256 of the content, in hex. Empty for all but files, and for those that could not be read. */
  readonly hash: string;
}

/** What a manifest says of itself in its last line. */
export interface ManifestTotals {
  /** Entries of every type. */
  readonly entries: number;
  /** Regular files. */
  readonly files: number;
  /** Their bytes; links to one file count each time. */
  readonly bytes: number;
  /** Files without a hash, since they could not be read. */
  readonly unreadable: number;
}

export type DifferenceKind =
  | 'content'
  | 'missing'
  | 'unreadable'
  | 'size'
  | 'type'
  | 'mode'
  | 'owner'
  | 'mtime'
  | 'target'
  | 'extra'
  | 'manifest';

/** Something that is not as it was when the snapshot was made. */
export interface Difference {
  readonly kind: DifferenceKind;
  readonly path: BytePath;
  /** What was expected and what was found; plain words. */
  readonly detail: string;
}

/** Data is lost or wrong, not only changed in its attributes. */
export function isDamage(kind: DifferenceKind): boolean {
  return ['content', 'missing', 'unreadable', 'size', 'type', 'target', 'manifest'].includes(kind);
}

/** The same file, by inode and times: then it has the same content as well, unless the disk has changed it. */
export function isSameFile(entry: ManifestEntry, found: TreeEntry): boolean {
  return (
    entry.type === 'file' &&
    entry.inode === found.inode &&
    entry.size === found.size &&
    entry.mtimeNs === found.mtimeNs
  );
}

/** How the attributes of an entry differ; its content is another matter. */
export function attributeDifferences(expected: ManifestEntry, found: TreeEntry): Difference[] {
  const { path } = expected;
  const differs = (kind: DifferenceKind, was: string, is: string): Difference[] =>
    was === is ? [] : [{ kind, path, detail: `was ${was}, is ${is}` }];
  if (found.type === 'unknown' || expected.type === 'unknown') {
    if (found.type === expected.type || expected.type === 'unknown') return [];
    return [{ kind: 'unreadable', path, detail: found.error }];
  }
  if (expected.type !== found.type) return differs('type', expected.type, found.type);
  return [
    ...differs('size', `${expected.size} bytes`, `${found.size} bytes`),
    ...differs('target', shownTarget(expected.target), shownTarget(found.target)),
    ...differs('mode', octal(expected.mode), octal(found.mode)),
    ...differs('owner', `${expected.uid}:${expected.gid}`, `${found.uid}:${found.gid}`),
    ...differs('mtime', seconds(expected.mtimeNs), seconds(found.mtimeNs)),
    ...(expected.error === '' && found.error !== ''
      ? [{ kind: 'unreadable' as const, path, detail: found.error }]
      : []),
  ];
}

function shownTarget(target: BytePath): string {
  return `"${showPath(target)}"`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** Seconds since 1970 with their fraction. */
function seconds(nanoseconds: string): string {
  const isNegative = nanoseconds.startsWith('-');
  const digits = nanoseconds.slice(isNegative ? 1 : 0).padStart(10, '0');
  return `${isNegative ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
