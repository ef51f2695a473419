/**
 * The store on disk of one host: names, partial directories, and the commit.
 *
 * A backup writes into a hidden `.partial-NAME`, which is never listed. The commit flushes the file system, renames
 * the directory to its final name, and flushes the parent; so after a crash at any moment there is either a whole
 * snapshot or a partial one. A partial one is never written to again: the next backup starts an empty directory and
 * uses it as a further link base. (rsync would otherwise change attributes of files in place that the older
 * snapshots share.)
 */
import { lstat, mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BusyError } from '../core/errors.js';
import { isOutOfSpace } from '../core/job-outcome.js';
import { parseSnapshotName, snapshotName, type BackupType } from '../core/snapshot.js';
import { parseTrashName } from '../core/trash.js';
import { faultPoint } from '../fault-points.js';
import { writeFresh } from './fresh-file.js';
import { runProcess, startProcess } from './process.js';

/** What a partial directory says of itself, in `partial.json`. */
export interface PartialMark {
  readonly runId: string;
  readonly type: BackupType;
  /** The boot of the machine in which it was written. */
  readonly bootId: string;
  /** Everything in it was flushed to the disk when its backup ended. */
  readonly isFlushed: boolean;
}

export interface PartialDir {
  readonly path: string;
  readonly name: string;
  /** Null when the mark is missing or damaged. */
  readonly mark: PartialMark | null;
}

export interface HostStore {
  readonly directory: string;
  /** Names of committed snapshots, oldest first. */
  readonly snapshots: readonly string[];
  /** Oldest first. */
  readonly partials: readonly PartialDir[];
  /** Names of the snapshots in the trash. */
  readonly trashed: readonly string[];
}

const partialPrefix = '.partial-';
const removedPrefix = '.removed-';

/** Reads what is there for a host; makes its directory when it is new. Throws BACKUPDIR_UNUSABLE. */
export async function openHostStore(backupdir: string, hostName: string): Promise<HostStore> {
  const directory = join(backupdir, hostName);
  return orUnusable(backupdir, async () => {
    // The backup directory itself is not made: it may be a disk that is not mounted.
    await readdir(backupdir);
    await makeDirectory(directory, 0o750);
    return readHostStore(directory);
  });
}

/** Reads what is there for a host and makes nothing. Throws as the file system does. */
export async function readHostStore(directory: string): Promise<HostStore> {
  const entries = (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const names = entries.map((entry) => entry.name).sort();
  const partials = names.filter((name) => name.startsWith(partialPrefix));
  return {
    directory,
    snapshots: names.filter((name) => parseSnapshotName(name) !== null),
    partials: await Promise.all(
      partials.map(async (name) => ({
        path: join(directory, name),
        name,
        mark: await readMark(join(directory, name)),
      })),
    ),
    trashed: names.flatMap((name) => parseTrashName(name)?.snapshot ?? []),
  };
}

/**
 * A name that is free and sorts after all others, also when the clock was set back or repeats an hour in autumn.
 */
export function nextSnapshotName(store: HostStore, startedAt: Date, type: BackupType): string {
  const taken = [
    ...store.snapshots,
    // Each may come back.
    ...store.trashed,
    ...store.partials.map((partial) => partial.name.slice(partialPrefix.length)),
  ];
  const newest = taken
    .map((name) => parseSnapshotName(name)?.startedAt.getTime() ?? 0)
    .reduce((latest, time) => Math.max(latest, time), 0);
  const last = taken.map(withoutType).sort().at(-1) ?? '';
  let time = Math.max(startedAt.getTime(), newest + 1000);
  // In autumn an hour comes twice: names of its second pass go on from the last of the first.
  while (withoutType(snapshotName(new Date(time), type)) <= last) time += 1000;
  return snapshotName(new Date(time), type);
}

function withoutType(name: string): string {
  return name.slice(0, -1);
}

export function partialPath(store: HostStore, name: string): string {
  return join(store.directory, `${partialPrefix}${name}`);
}

/** Makes an empty partial directory with its mark. Throws DISK_FULL or BACKUPDIR_UNUSABLE. */
export async function createPartial(store: HostStore, name: string, mark: PartialMark): Promise<string> {
  const path = partialPath(store, name);
  await orUnusable(store.directory, async () => {
    await mkdir(path, { mode: 0o755 });
    await writeMark(path, mark);
    await mkdir(join(path, 'data'));
  });
  faultPoint('partial is made');
  return path;
}

/**
 * Makes a path below a directory and answers it. Step by step: where the disk is full, the recursive mkdir of Node
 * says that something is missing. What a host has sent may stand there already, and a link among it would lead out of
 * the snapshot: it is not followed. Throws DISK_FULL, BACKUPDIR_UNUSABLE, or HOST_MISBEHAVED, which names `host`.
 */
export async function makeBelow(directory: string, path: string, host: string): Promise<string> {
  let made = directory;
  for (const name of path.split('/').filter((part) => part !== '')) {
    made = join(made, name);
    const found = await orUnusable(directory, async () => {
      await makeDirectory(made);
      return lstat(made);
    });
    if (found.isDirectory()) continue;
    const detail = `it sent ${made.slice(directory.length)} as ${found.isSymbolicLink() ? 'a symlink' : 'something'} that is no directory, but the source directory ${path} is to be stored there`;
    throw new BusyError('HOST_MISBEHAVED', { host, detail });
  }
  return made;
}

async function makeDirectory(path: string, mode?: number): Promise<void> {
  await mkdir(path, { mode }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
}

/** Says of a partial directory that all of it has reached the disk. */
export async function flushPartial(path: string, mark: PartialMark, signal: AbortSignal): Promise<void> {
  await runProcess('sync', ['-f', '--', path], signal);
  await writeMark(path, { ...mark, isFlushed: true });
}

/**
 * Commits: flush, rename, flush the parent. `signal` is looked at for the last time just before the rename.
 * Answers the final path. Throws DISK_FULL, BACKUPDIR_UNUSABLE or CANCELLED.
 */
export async function commitPartial(partial: string, name: string, signal: AbortSignal): Promise<string> {
  const parent = join(partial, '..');
  const path = join(parent, name);
  return orUnusable(parent, async () => {
    try {
      await runProcess('sync', ['-f', '--', partial], signal);
    } catch (error) {
      throw signal.aborted ? new BusyError('CANCELLED', {}, { cause: error }) : error;
    }
    faultPoint('partial is flushed');
    if (signal.aborted) throw new BusyError('CANCELLED');
    // Not before: what is cancelled or crashes until here is of use to the next backup only with its mark.
    for (const mark of ['partial.json', '.partial.json']) await rm(join(partial, mark), { force: true });
    faultPoint('mark is removed');
    await rename(partial, path);
    faultPoint('snapshot is renamed');
    await flushDirectory(parent);
    faultPoint('rename is flushed');
    return path;
  });
}

/** Takes a directory out of the store by renaming it; `remove` frees its space. */
export async function discard(path: string): Promise<void> {
  await rename(path, removedPath(path));
  faultPoint('directory is discarded');
}

/** Where a snapshot or partial directory is after `discard`. */
export function removedPath(path: string): string {
  return join(path, '..', `${removedPrefix}${basename(path).replace(partialPrefix, '')}`);
}

/** All that was discarded in a host's directory and still takes space. Empty when there is nothing to read. */
export async function discarded(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [] as string[]);
  return names.filter((name) => name.startsWith(removedPrefix)).map((name) => join(directory, name));
}

/**
 * Frees the space of what was discarded; ends early when `signal` is aborted. By the program `rm`, since Node cannot
 * remove names that are not UTF-8, and with the lowest priority, since it has time. Answers whether all of it is gone;
 * never throws.
 */
export async function remove(doomed: readonly string[], signal: AbortSignal): Promise<boolean> {
  if (doomed.length === 0) return true;
  // A small directory would be gone before the signal reaches the program.
  if (signal.aborted) return false;
  // Not root: directories that came without the right to write cannot be emptied. Directories only, since a file may
  // be shared with snapshots that stay.
  const locked = ['-type', 'd', '!', '-perm', '-u=rwx', '-exec', 'chmod', 'u+rwx', '{}', '+'];
  if (process.getuid?.() !== 0)
    await runProcess('find', [...doomed, ...locked], signal, startProcess).catch(() => '');
  const args = ['-n', '19', 'rm', '-rf', '--one-file-system', '--', ...doomed];
  return runProcess('nice', args, signal, startProcess).then(
    () => true,
    () => false,
  );
}

/** Runs `work` on the backup disk and turns what the system says into a reason. */
export async function orUnusable<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BusyError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    if (isOutOfSpace(detail)) {
      throw new BusyError('DISK_FULL', { detail }, { cause: error });
    }
    throw new BusyError('BACKUPDIR_UNUSABLE', { backupdir: directory, detail }, { cause: error });
  }
}

/** Settles when the content of a file has reached the disk. Throws what the file system says. */
export async function flushFile(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** In two steps: on a full disk the mark that is there must not be lost for one that cannot be written. */
async function writeMark(path: string, mark: PartialMark): Promise<void> {
  const fresh = join(path, '.partial.json');
  await writeFresh(fresh, `${JSON.stringify(mark)}\n`);
  await rename(fresh, join(path, 'partial.json'));
}

async function readMark(path: string): Promise<PartialMark | null> {
  try {
    const mark = JSON.parse(await readFile(join(path, 'partial.json'), 'utf8')) as Partial<PartialMark>;
    const isWhole =
      typeof mark.runId === 'string' &&
      (mark.type === 'full' || mark.type === 'incremental') &&
      typeof mark.bootId === 'string' &&
      typeof mark.isFlushed === 'boolean';
    return isWhole ? (mark as PartialMark) : null;
  } catch {
    return null;
  }
}
