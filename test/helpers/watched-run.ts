/** A run whose end is waited for from before something is broken that the watch would need to begin. */
import { BackupType, type Run } from '../../src/gen/busy/v1/run.js';
import { untilCopying } from './host-store.js';
import { hasEnded, until, type TestBed } from './test-bed.js';

export interface WatchedRun {
  readonly id: string;
  readonly ended: Promise<Run>;
}

/** Begins a full backup of a host, and answers it while it copies the file `name` of the source. */
export async function startCopying(
  bed: TestBed,
  host: string,
  file: { readonly source: string; readonly name: string },
): Promise<WatchedRun> {
  const run = await bed.trigger(host, BackupType.FULL);
  let isWatched = false;
  const ended = bed.waitForRun(run.id, (now) => {
    isWatched = true;
    return hasEnded(now);
  });
  // Else a daemon that is killed on purpose would be an error that nobody takes.
  ended.catch(() => {});
  await until(() => isWatched, 'the watch of the run to begin');
  await untilCopying(bed, run, { ...file, leastBytes: 100_000 });
  return { id: run.id, ended };
}
