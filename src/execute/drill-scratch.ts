/**
 * Where drills restore to: `.drill-RUN` beside the snapshots of the host, so on a disk that has room for backups and
 * whose daemon holds the lock. It is removed at the end of the drill; what a crash has left goes before the next one,
 * and when the daemon starts.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../core/host.js';
import { discard, orUnusable, remove, removedPath } from './snapshot-dir.js';

const prefix = '.drill-';

/** Throws DISK_FULL or BACKUPDIR_UNUSABLE. */
export async function createScratch({ backupdir, name }: Host, runId: string): Promise<string> {
  const scratch = join(backupdir, name, `${prefix}${runId}`);
  await orUnusable(backupdir, async () => {
    await mkdir(scratch, { mode: 0o700 });
    await mkdir(join(scratch, 'data'));
  });
  return scratch;
}

/** Removes what drills of a host have restored; ends early when `signal` is aborted. Never throws. */
export async function sweepScratch({ backupdir, name }: Host, signal: AbortSignal): Promise<void> {
  const directory = join(backupdir, name);
  const names = await readdir(directory).catch(() => [] as string[]);
  const doomed = names.filter((found) => found.startsWith(prefix)).map((found) => join(directory, found));
  for (const path of doomed) {
    // Under its other name the pruner removes what is left when this is interrupted.
    await discard(path).then(
      () => remove([removedPath(path)], signal),
      () => false,
    );
  }
}
