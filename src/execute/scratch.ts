/**
 * Where drills restore to, and where restores and downloads unpack archives: `.drill-RUN` and the like beside the
 * snapshots of the host, so on a disk that has room for backups and whose daemon holds the lock. Each is removed at the
 * end, also when the executor has died; what a crash of the daemon has left goes at the next start.
 */
import { access, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { claimBackupdir, type LockHolder } from './backupdir-lock.js';
import { discard, openHostStore, orUnusable, remove, removedPath } from './snapshot-dir.js';

export type ScratchUse = 'drill' | 'restore' | 'download';

type Place = Pick<Host, 'name' | 'backupdir'>;

const prefixes = ['.drill-', '.restore-', '.download-'];

/**
 * Makes an empty one, after taking the lock on the backup directory. `id` is of this use alone. Throws
 * BACKUPDIR_IN_USE, DISK_FULL or BACKUPDIR_UNUSABLE.
 */
export async function createScratch(
  { backupdir, name }: Place,
  { use, id }: { readonly use: ScratchUse; readonly id: string },
  holder: LockHolder,
): Promise<string> {
  return orUnusable(backupdir, async () => {
    await claimBackupdir(backupdir, holder);
    const { directory } = await openHostStore(backupdir, name);
    const scratch = join(directory, `.${use}-${id}`);
    await mkdir(scratch, { mode: 0o700 });
    return scratch;
  });
}

/**
 * For the failure of a run: when its executor died, what that had unpacked is removed before the run ends. Throws what
 * it is given.
 */
export function clearAfterDeath(
  { host, runId }: { readonly host: Place; readonly runId: string },
  use: ScratchUse,
  holder: LockHolder,
): (error: unknown) => Promise<never> {
  return async (error) => {
    if (error instanceof BusyError && error.reason === 'EXECUTOR_DIED')
      await clearScratch(host, { use, id: runId }, holder);
    throw error;
  };
}

/** Removes the one of this use, if there is one. Never throws. */
async function clearScratch(
  { backupdir, name }: Place,
  { use, id }: { readonly use: ScratchUse; readonly id: string },
  holder: LockHolder,
): Promise<void> {
  const scratch = join(backupdir, name, `.${use}-${id}`);
  try {
    await access(scratch);
    await claimBackupdir(backupdir, holder);
  } catch {
    return;
  }
  await removeScratch(scratch);
}

/** Removes one, whoever has cancelled what: nothing of it must stay. Never throws. */
export async function removeScratch(scratch: string): Promise<void> {
  // Under its other name the pruner removes what is left when this is interrupted.
  const isAside = await discard(scratch).then(
    () => true,
    () => false,
  );
  await remove([isAside ? removedPath(scratch) : scratch], new AbortController().signal);
}

/**
 * Lets go the way of removed snapshots what a daemon that died has left of these hosts; to be called before anything of
 * theirs runs. Only where something lies the lock is taken, and where another daemon has it, it is that one's: it
 * stays. Never throws.
 */
export async function discardScratch(hosts: readonly Place[], holder: LockHolder): Promise<void> {
  for (const { name, backupdir } of hosts) {
    const store = join(backupdir, name);
    const entries = await readdir(store).catch(() => [] as string[]);
    const left = entries.filter((entry) => prefixes.some((prefix) => entry.startsWith(prefix)));
    if (left.length === 0) continue;
    const isOurs = await claimBackupdir(backupdir, holder).then(
      () => true,
      () => false,
    );
    if (!isOurs) continue;
    for (const entry of left) await discard(join(store, entry)).catch(() => {});
  }
}
