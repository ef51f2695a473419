/** The end of a snapshot, from the call to the last of its files, beside `rm -rf` of the same tree of links. */
import { join } from 'node:path';
import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { TrashServiceClient, TrashServiceService } from '../../src/gen/busy/v1/trash_service.js';
import { callMethod } from '../../test/helpers/grpc-calls.js';
import type { TestBed } from '../../test/helpers/test-bed.js';
import { must } from '../contestants.js';
import { remove, settleDisk, withScratch } from '../scratch.js';
import { makeSmallFiles, smallFileBytes } from '../trees.js';
import type { Section } from './section.js';

const host = 'web1';
const fileCount = (isQuick: boolean): number => (isQuick ? 1000 : 20_000);
const lookEveryMs = 5;

export const expiry: Section = {
  name: 'expiry',
  isLikeAnother: false,
  describe: ({ isQuick }) =>
    `expiry: a snapshot of ${fileCount(isQuick).toLocaleString('en')} small files, all links that another snapshot keeps`,
  measure: async ({ rounds, isQuick, directory: parent, say, signal }) => {
    const files = fileCount(isQuick);
    return withScratch(parent, 3 * files * smallFileBytes, async ({ directory, bed }) => {
      say('expiry: making the tree and its snapshots');
      const tree = join(directory, 'tree');
      await makeSmallFiles(tree, files);
      await bed.configure([
        bed.hostAt(await bed.startSshd({ home: bed.directory }), { name: host, srcdirs: [tree] }),
      ]);
      await bed.startDaemon();
      await backUp(bed, BackupType.FULL);
      let doomed = await backUp(bed, BackupType.INCREMENTAL);
      const own: number[] = [];
      const byHand: number[] = [];
      for (let round = 1; round <= rounds; round++) {
        // The newest one is not deleted so easily.
        const newest = await backUp(bed, BackupType.INCREMENTAL);
        const copy = join(directory, 'copy');
        await must('cp', ['-al', '--', bed.snapshotPath(newest), copy]);
        const turns = [
          async () => own.push(await measured(directory, () => destroy(bed, doomed))),
          async () => byHand.push(await measured(directory, () => remove(copy))),
        ];
        for (const turn of round % 2 === 0 ? turns.toReversed() : turns) {
          signal.throwIfAborted();
          await turn();
        }
        say(
          `expiry, round ${round}: busyd ${own.at(-1)?.toFixed(2)} s, rm -rf ${byHand.at(-1)?.toFixed(2)} s`,
        );
        doomed = newest;
      }
      const row = {
        what: 'expiry of a snapshot',
        unit: 's',
        busyd: own,
        others: { 'rm -rf': byHand },
      } as const;
      return { rows: [{ ...row, goals: [] }], absent: [], failures: [] };
    });
  },
};

async function backUp(bed: TestBed, type: BackupType): Promise<Run> {
  const run = await bed.backUp(host, type);
  if (run.state !== RunState.SUCCEEDED) throw new Error(run.error?.message ?? 'the backup failed');
  return run;
}

/** In seconds, with a flush of the disk. */
async function measured(directory: string, work: () => Promise<unknown>): Promise<number> {
  await settleDisk(directory);
  const startedAt = performance.now();
  await work();
  await settleDisk(directory);
  return (performance.now() - startedAt) / 1000;
}

/** Into the trash, out of it, and until nothing of it is left on the disk. */
async function destroy(bed: TestBed, run: Run): Promise<void> {
  const snapshots = bed.snapshots;
  const trash = new TrashServiceClient(`unix:${bed.socket}`, credentials.createInsecure());
  try {
    const word = `${host}/${run.snapshot}`;
    const request = { host, name: run.snapshot, confirm: word };
    const { entry } = await callMethod(snapshots, SnapshotServiceService.deleteSnapshot, request);
    await callMethod(trash, TrashServiceService.emptyTrash, { id: entry?.id ?? '', confirm: word });
  } finally {
    snapshots.close();
    trash.close();
  }
  while ((await readdir(join(bed.backupdir, host))).some((name) => name.includes(run.snapshot)))
    await delay(lookEveryMs);
}
