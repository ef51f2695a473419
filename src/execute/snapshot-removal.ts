/** Takes committed snapshots out of the store; the disk's side of `keep`. */
import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { BusyError } from '../core/errors.js';
import { isOutOfSpace } from '../core/job-outcome.js';
import type { SnapshotDisk, SnapshotPlace } from '../core/ports.js';
import { parseSnapshotName, type SnapshotRecord } from '../core/snapshot.js';
import { parseTrashName } from '../core/trash.js';
import { faultPoint } from '../fault-points.js';
import { claimBackupdir, type LockHolder } from './backupdir-lock.js';
import { writeReleased } from './snapshot-json.js';
import { discard, discarded, flushDirectory, orUnusable, remove, removedPath } from './snapshot-dir.js';

/** Works for the holder of the locks on the backup directories. */
export function createSnapshotDisk(holder: LockHolder): SnapshotDisk {
  return {
    locate,
    takeOut: ({ path, name }) => {
      if (basename(path) !== name || parseSnapshotName(name) === null)
        throw new BusyError('INTERNAL', { what: `${path} is not the directory of a snapshot` });
      return orUnusable(dirname(path), async () => {
        await claimToRemove(backupdirOf(path), holder);
        await discard(path);
        await flushDirectory(dirname(path));
        faultPoint('snapshot is taken out');
      });
    },
    release: ({ path }, at) =>
      orUnusable(dirname(path), async () => {
        await claimBackupdir(backupdirOf(path), holder);
        await writeReleased(path, at);
        await flushDirectory(path);
      }),
    sweepBeside: async ({ path }, signal) => {
      const doomed = await discarded(dirname(path));
      if (doomed.length === 0) return true;
      const isOurs = await claimToRemove(backupdirOf(path), holder).then(
        () => true,
        () => false,
      );
      return isOurs && remove(doomed, signal);
    },
  };
}

/** On a full disk no lock can be written. Then nobody has it, and a removal is what makes room for it. */
export async function claimToRemove(backupdir: string, holder: LockHolder): Promise<void> {
  await claimBackupdir(backupdir, holder).catch((error: unknown) => {
    if (!isOutOfSpace(String(error))) throw error;
  });
}

function backupdirOf(snapshotPath: string): string {
  return dirname(dirname(snapshotPath));
}

async function locate(
  snapshots: readonly SnapshotRecord[],
): Promise<ReadonlyMap<SnapshotRecord, SnapshotPlace>> {
  const seen = new Map<string, Promise<ReadonlySet<string>>>();
  const namesIn = (directory: string): Promise<ReadonlySet<string>> => {
    const names = seen.get(directory) ?? readdir(directory).then(setOf, () => setOf([]));
    seen.set(directory, names);
    return names;
  };
  const places = snapshots.map(async (snapshot): Promise<[SnapshotRecord, SnapshotPlace]> => {
    const names = await namesIn(dirname(snapshot.path));
    if (names.has(basename(snapshot.path))) return [snapshot, 'present'];
    const isTakenOut =
      names.has(basename(removedPath(snapshot.path))) ||
      [...names].some((name) => parseTrashName(name)?.snapshot === snapshot.name);
    return [snapshot, isTakenOut ? 'taken out' : 'absent'];
  });
  return new Map(await Promise.all(places));
}

function setOf(names: readonly string[]): ReadonlySet<string> {
  return new Set(names);
}
