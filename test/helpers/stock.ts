/** The proof that what breaks a backup breaks nothing else. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { compareTrees } from '../../clients/quickstart/compare-trees.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { listedSnapshots, untilSwept } from './host-store.js';
import type { TestBed } from './test-bed.js';
import { listTree } from './tree-listing.js';

/** Writes down all snapshots of a host. The answer fails when the listed ones are not these, or one has changed. */
export async function takeStock(bed: TestBed, host: string): Promise<() => Promise<void>> {
  const look = async (): Promise<[string, string[]][]> => {
    const names = await listedSnapshots(bed, host);
    return Promise.all(
      names.map(async (name): Promise<[string, string[]]> => [
        name,
        await listTree(join(bed.backupdir, host, name)),
      ]),
    );
  };
  const before = await look();
  return async () => expect(await look()).toEqual(before);
}

/** Backs a host up and proves that the snapshot is what the source is, and that nothing else is left. */
export async function expectBackup(
  bed: TestBed,
  host: string,
  source: string,
  type: BackupType = BackupType.AUTO,
): Promise<Run> {
  const run = await bed.backUp(host, type);
  expect(run, JSON.stringify(run.error)).toMatchObject({ state: RunState.SUCCEEDED });
  expect(await compareTrees(source, join(bed.snapshotPath(run), 'data', source))).toEqual([]);
  await untilSwept(bed, host);
  expect((await listedSnapshots(bed, host)).at(-1)).toBe(run.snapshot);
  return run;
}
