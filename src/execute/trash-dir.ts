/**
 * Snapshots in the trash. Such a directory lies beside the snapshots of its host, so on the same file system, under a
 * hidden name: `.trash-ID-SNAPSHOT`. The id holds the time; who put it there stands in `.trash-ID-SNAPSHOT.json`. So the
 * disk alone tells what is in the trash, and nothing of it is lost with a database.
 */
import { lstat, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { decodeTime } from 'ulid';
import { BusyError } from '../core/errors.js';
import { isOutOfSpace } from '../core/job-outcome.js';
import { parseSnapshotName, type SnapshotRecord } from '../core/snapshot.js';
import { parseTrashName, trashName, type TrashDisk, type TrashEntry, type TrashMark } from '../core/trash.js';
import { faultPoint } from '../fault-points.js';
import type { LockHolder } from './backupdir-lock.js';
import { adoptSnapshot } from './original-store.js';
import { flushDirectory, orUnusable, removedPath } from './snapshot-dir.js';
import { readSnapshotJson } from './snapshot-json.js';
import { claimToRemove } from './snapshot-removal.js';

const noteEnd = '.json';

/** Works for the holder of the locks on the backup directories. */
export function createTrashDisk(holder: LockHolder): TrashDisk {
  const change = <T>(path: string, work: () => Promise<T>): Promise<T> =>
    orUnusable(dirname(path), async () => {
      await claimToRemove(dirname(dirname(path)), holder);
      return work();
    });
  return {
    list,
    note: (snapshot, mark) => change(snapshot.path, () => note(snapshot, mark)),
    moveIn: ({ path, name }, entry) =>
      change(path, async () => {
        if (basename(path) !== name || parseSnapshotName(name) === null)
          throw new BusyError('INTERNAL', { what: `${path} is not the directory of a snapshot` });
        await rename(path, entry.path);
        await flushDirectory(dirname(path));
        faultPoint('snapshot is in the trash');
      }),
    read,
    moveOut: (entry) =>
      change(entry.path, async () => {
        const place = placeOf(entry);
        // An empty directory would be replaced without a word.
        if (await isThere(place)) throw new BusyError('TRASH_PLACE_TAKEN', { place });
        await move(entry, place);
        faultPoint('snapshot is out of the trash');
        await rm(`${entry.path}${noteEnd}`, { force: true });
      }),
    takeOut: (entry) =>
      change(entry.path, async () => {
        await move(entry, removedPath(entry.path));
        faultPoint('trash is taken out');
        await rm(`${entry.path}${noteEnd}`, { force: true });
      }),
    hasTraces: async (directory) => {
      const names = await readdir(directory).catch(() => [] as string[]);
      return names.some((name) => name.startsWith('.trash-'));
    },
    tidy: (directory) => orUnusable(directory, () => tidy(directory)),
  };
}

/** All that is in the trash in the directory of a host, absolute. Empty when there is nothing to read. */
export async function trashedDirectories(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && parseTrashName(entry.name) !== null)
    .map(({ name }) => join(directory, name));
}

async function list(directory: string): Promise<TrashEntry[]> {
  return Promise.all((await trashedDirectories(directory)).map(describe));
}

async function describe(path: string): Promise<TrashEntry> {
  const { id, snapshot } = parseTrashName(basename(path)) ?? { id: '', snapshot: '' };
  const putBy = await readFile(`${path}${noteEnd}`, 'utf8').then(
    (text) => noted(text),
    () => '',
  );
  const host = basename(dirname(path));
  return { id, kind: 'snapshot', host, snapshot, path, putBy, putAt: new Date(decodeTime(id)) };
}

/** Only a help for people: what it does not say, the name does. */
function noted(text: string): string {
  try {
    const { putBy } = JSON.parse(text) as Partial<TrashMark>;
    return typeof putBy === 'string' ? putBy : '';
  } catch {
    return '';
  }
}

async function note(snapshot: SnapshotRecord, mark: TrashMark): Promise<TrashEntry> {
  const path = join(dirname(snapshot.path), trashName(mark.id, snapshot.name));
  const entry: TrashEntry = { ...mark, kind: 'snapshot', host: snapshot.host, snapshot: snapshot.name, path };
  const { path: _, ...facts } = entry;
  try {
    const file = await open(`${path}${noteEnd}`, 'wx', 0o644);
    try {
      await file.writeFile(`${JSON.stringify({ version: 1, ...facts })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    // A full disk must not keep anything from being deleted.
    if (!isOutOfSpace(String(error))) throw error;
    await rm(`${path}${noteEnd}`, { force: true });
  }
  faultPoint('trash is noted');
  return entry;
}

async function read(entry: TrashEntry, srcdirs: readonly string[]): Promise<SnapshotRecord | null> {
  const { host, snapshot: name, path } = entry;
  const own = await readSnapshotJson(path);
  const found = own ?? (await adoptSnapshot(path, { host, name, srcdirs }).catch(() => null));
  return found && { ...found, host, name, path: placeOf(entry) };
}

async function move({ path, id }: TrashEntry, place: string): Promise<void> {
  await rename(path, place).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new BusyError('TRASH_ENTRY_NOT_FOUND', { id }, { cause: error });
  });
  await flushDirectory(dirname(path));
}

async function tidy(directory: string): Promise<void> {
  const names = new Set(await readdir(directory));
  const lost = [...names].filter((name) => {
    const directoryName = name.endsWith(noteEnd) ? name.slice(0, -noteEnd.length) : '';
    return parseTrashName(directoryName) !== null && !names.has(directoryName);
  });
  for (const name of lost) await rm(join(directory, name), { force: true });
}

function placeOf({ path, snapshot }: Pick<TrashEntry, 'path' | 'snapshot'>): string {
  return join(dirname(path), snapshot);
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
