/**
 * Finds out what must be taken out of an archive to have some of its entries: these, and of a file that shares its
 * content the other names too, since all but the first of them are links in the tarball. The manifest beside the archive
 * tells it. Runs in a thread of its own (`disk-thread.ts`).
 */
import { showPath, type BytePath } from '../core/byte-path.js';
import { isAmong, withoutNested } from '../core/download.js';
import { BusyError } from '../core/errors.js';
import type { ManifestEntry } from '../core/manifest.js';
import { besideTarball } from './archive-files.js';
import type { DiskWorkHooks } from './manifest.js';
import { readManifestFile } from './manifest-reader.js';

export interface ArchiveChoiceTask {
  /** The tarball. */
  readonly archive: string;
  /** The name of the snapshot. */
  readonly snapshot: string;
  /** Absolute on the host; `/` is all. */
  readonly entries: readonly BytePath[];
}

export interface ArchiveChoiceReport {
  /** A directory stands for all that is below it. */
  readonly members: readonly BytePath[];
  /** What they take, holes included. */
  readonly bytes: number;
}

type Hooks = Pick<DiskWorkHooks, 'check'>;

/** Throws PATH_NOT_FOUND, ARCHIVE_NOT_RESTORABLE or CANCELLED. */
export async function chooseMembers(
  { archive, snapshot, entries }: ArchiveChoiceTask,
  hooks: Hooks,
): Promise<ArchiveChoiceReport> {
  const chosen = new Set(entries.includes('/') ? await topPathsOf(archive, hooks) : entries);
  const found = new Set<BytePath>();
  const absent = new Set<BytePath>();
  const inodes = new Set<string>();
  let bytes = 0;
  await forEachEntry(archive, hooks, ({ path, type, inode, size }) => {
    if (chosen.has(path)) (hasMember(type) ? found : absent).add(path);
    if (type === 'directory' || !isAmong(chosen, path)) return;
    if (!inodes.has(inode)) bytes += size;
    inodes.add(inode);
  });
  const missing = [...chosen].find((path) => !found.has(path) && !absent.has(path));
  if (missing !== undefined) throw new BusyError('PATH_NOT_FOUND', { path: showPath(missing), snapshot });
  const others: BytePath[] = [];
  await forEachEntry(archive, hooks, ({ path, type, inode }) => {
    if (type !== 'directory' && hasMember(type) && inodes.has(inode) && !isAmong(chosen, path))
      others.push(path);
  });
  // Of a name below another one tar would say that it did not find it.
  return { members: [...withoutNested([...found]), ...others], bytes };
}

/** What is at the top of an archive's data. Throws ARCHIVE_NOT_RESTORABLE or CANCELLED. */
export async function topPathsOf(archive: string, hooks: Hooks): Promise<BytePath[]> {
  const paths: BytePath[] = [];
  await forEachEntry(archive, hooks, ({ path }) => {
    if (path !== '/' && !path.includes('/', 1)) paths.push(path);
  });
  return paths;
}

/** No tarball holds a socket. */
function hasMember(type: ManifestEntry['type']): boolean {
  return type !== 'socket' && type !== 'unknown';
}

async function forEachEntry(
  archive: string,
  { check }: Hooks,
  take: (entry: ManifestEntry) => void,
): Promise<void> {
  try {
    for await (const piece of readManifestFile(besideTarball(archive).manifest)) {
      check();
      piece.forEach(take);
    }
  } catch (error) {
    if (error instanceof BusyError) throw error;
    const detail = `its manifest cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new BusyError('ARCHIVE_NOT_RESTORABLE', { archive, detail }, { cause: error });
  }
}
