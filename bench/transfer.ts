/**
 * `npm run bench:transfer`: how long the daemon takes for a backup beside rsync by hand over the system's ssh, on
 * the same trees, through the same sshd, in alternating rounds. Exit codes: 0 measured, 1 failed, 2 wrong usage.
 */
import { basename, join } from 'node:path';
import type { Contestant, Place } from './contestants.js';
import { describeMachine } from './machine.js';
import { runBenchmark } from './options.js';
import { daemonBackups } from './peers/busyd.js';
import { rsyncBySsh } from './peers/rsync.js';
import { rotate } from './rotate.js';
import { settleDisk, withScratch } from './scratch.js';
import { baseline, formatTransfers, summarize, type TransferRecord } from './transfer-report.js';
import { fullSizes, makeLargeFiles, makeSmallFiles, neededBytes, quickSizes } from './trees.js';

const kinds = ['full', 'incremental'] as const;

await runBenchmark({ defaultRounds: 3 }, async ({ rounds, isQuick, directory, isJson, say, signal }) => {
  const machine = await describeMachine();
  const sizes = isQuick ? quickSizes : fullSizes;
  const records = await withScratch(directory, neededBytes(sizes), async (scratch) => {
    say('making the trees');
    const trees = [join(scratch.directory, 'large'), join(scratch.directory, 'small')] as const;
    await makeLargeFiles(trees[0], sizes.largeFileBytes);
    await makeSmallFiles(trees[1], sizes.smallFileCount);
    const contestants = await prepare(
      { ...scratch, sshd: await scratch.bed.startSshd({ home: scratch.directory }) },
      trees,
    );
    const made: TransferRecord[] = [];
    for (let round = 1; round <= rounds; round++) {
      for (const tree of trees) {
        // Each round begins with another one, so that no place in the order is always the same contestant's.
        for (const contestant of rotate(contestants, round - 1)) {
          for (const kind of kinds) {
            signal.throwIfAborted();
            await settleDisk(scratch.directory);
            const measurement = await contestant[kind](tree);
            made.push({ ...measurement, round, tree: basename(tree), kind, contestant: contestant.name });
            const seconds = (measurement.wallMs / 1000).toFixed(2);
            say(`round ${round} of ${rounds}: ${basename(tree)}, ${kind}, ${contestant.name}: ${seconds} s`);
          }
          await contestant.clear(tree);
        }
      }
    }
    return made;
  });
  const summary = summarize(records);
  return isJson
    ? JSON.stringify({ machine, rounds, sizes, summary, records }, null, 2)
    : formatTransfers({ machine, rounds, sizes, summary });
});

/** Starts the daemon, with one host for each tree and initiator. */
async function prepare(place: Place, trees: readonly string[]): Promise<Contestant[]> {
  const { bed, sshd } = place;
  const initiators = ['server', 'client'] as const;
  const hosts = initiators.flatMap((initiator) =>
    trees.map((tree) => bed.hostAt(sshd, { name: hostName(tree, initiator), srcdirs: [tree], initiator })),
  );
  // As in sections/transfer.ts: nobody else steps back.
  await bed.configure(hosts, { stop_grace: 0, nice: 0 });
  await bed.startDaemon();
  return [
    await rsyncBySsh(place, baseline, ['-aHAXS', '--numeric-ids']),
    await rsyncBySsh(place, 'rsync -a', ['-a']),
    ...initiators.map((initiator) =>
      daemonBackups(bed, `busyd, ${initiator}`, (tree) => hostName(tree, initiator)),
    ),
  ];
}

function hostName(tree: string, initiator: string): string {
  return `${basename(tree)}-${initiator}`;
}
