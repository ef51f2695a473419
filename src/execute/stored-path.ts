/**
 * From a path that a caller gives to the place in a snapshot. Whatever the host has planted, the place is below the
 * snapshot's `data`: no name leads up, and no symlink is passed through. Synchronous, for a thread of its own or a
 * single look.
 */
import { existsSync, lstatSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { bytesOf, showPath, type BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import { checkedParts, refused } from '../core/path-request.js';
import { codeOf, diskPath, isAbsent } from './tree-walk.js';

/**
 * Where `path` (absolute on the host; `/` is the top of the data) is on the disk. The last part may be anything or
 * missing, and must not be followed if it is a symlink (lstat, O_NOFOLLOW).
 * Throws PATH_REFUSED, PATH_NOT_FOUND when a directory on the way is missing, PATH_UNREADABLE, SNAPSHOT_REMOVED.
 */
export function storedPath(snapshot: string, path: BytePath): Buffer {
  const root = dataRoot(snapshot);
  const parts = checkedParts(path);
  for (let count = 1; count < parts.length; count++) {
    const above = `/${parts.slice(0, count).join('/')}`;
    const stats = lookBelow(snapshot, root, above);
    if (stats.isSymbolicLink()) throw refused(path, `"${showPath(above)}" is a symlink`);
    if (!stats.isDirectory()) throw notFound(snapshot, path);
  }
  return diskPath(root, path);
}

/** The directory of a snapshot that holds its files, as bytes. Throws SNAPSHOT_REMOVED or SNAPSHOT_UNLISTED. */
export function dataRoot(snapshot: string): BytePath {
  const data = join(snapshot, 'data');
  const stats = lstatSync(data, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return bytesOf(data);
  const facts = { snapshot: basename(snapshot), path: snapshot };
  const isOriginal = !stats && existsSync(snapshot) && !existsSync(join(snapshot, 'snapshot.json'));
  throw new BusyError(isOriginal ? 'SNAPSHOT_UNLISTED' : 'SNAPSHOT_REMOVED', facts);
}

export function notFound(snapshot: string, path: BytePath): BusyError {
  return new BusyError('PATH_NOT_FOUND', { path: showPath(path), snapshot: basename(snapshot) });
}

/** What the system says of a path, as a reason. */
export function pathFailure(snapshot: string, path: BytePath, error: unknown): BusyError {
  if (error instanceof BusyError) return error;
  const code = codeOf(error);
  if (isAbsent(code) || code === 'ENAMETOOLONG') return notFound(snapshot, path);
  const facts = { path: showPath(path), snapshot: basename(snapshot), detail: code };
  return new BusyError('PATH_UNREADABLE', facts, { cause: error });
}

function lookBelow(snapshot: string, root: BytePath, path: BytePath): Stats {
  try {
    return lstatSync(diskPath(root, path));
  } catch (error) {
    throw pathFailure(snapshot, path, error);
  }
}
