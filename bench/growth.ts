/**
 * `npm run bench:growth`: what backups cost as the work grows, in time and in memory. Exit codes: 0 measured, 1 failed,
 * 2 wrong usage.
 */
import { join } from 'node:path';
import { growthTable, type Growth } from './growth-table.js';
import { describeMachine, formatMachine } from './machine.js';
import { peakWhile } from './memory.js';
import { runBenchmark, type BenchmarkOptions } from './options.js';
import { daemonBackups } from './peers/busyd.js';
import { rotate } from './rotate.js';
import { settleDisk, withScratch, type Scratch } from './scratch.js';
import { largeFileCount, makeLargeFiles, makeSmallFiles, smallFileBytes } from './trees.js';

interface Tree {
  readonly name: string;
  readonly what: string;
  /** How much of what the cost is counted by. */
  readonly amount: number;
  readonly bytes: number;
  readonly make: (directory: string) => Promise<void>;
}

await runBenchmark({ defaultRounds: 3 }, async (options) => {
  const machine = await describeMachine();
  const trees = treesOf(options.isQuick);
  const needed = 5 * trees.reduce((sum, { bytes }) => sum + bytes, 0);
  const records = await withScratch(options.directory, needed, (scratch) =>
    measureAll(trees, options, scratch),
  );
  if (options.isJson) return JSON.stringify({ machine, rounds: options.rounds, records }, null, 2);
  const about = `Median of ${options.rounds} rounds. A daemon that has just been started; peak memory, without what runs on the host.`;
  return `${formatMachine(machine)}\n${about}\n\n${growthTable(records)}`;
});

/** A thousand small files count one, and so do 100 MiB of large ones. */
function treesOf(isQuick: boolean): Tree[] {
  const scale = isQuick ? 0.05 : 1;
  const small = [3000, 30_000, 90_000].map((full): Tree => {
    const files = full * scale;
    return {
      name: `small-${files}`,
      what: `${files.toLocaleString('en')} small files`,
      amount: files / 1000,
      bytes: files * smallFileBytes,
      make: (directory) => makeSmallFiles(directory, files),
    };
  });
  const large = [100, 1000].map((full): Tree => {
    const mib = full * scale;
    const bytes = Math.ceil(mib / largeFileCount) * 2 ** 20;
    return {
      name: `large-${mib}`,
      what: `${mib.toLocaleString('en')} MiB in ${largeFileCount} files`,
      amount: mib / 100,
      bytes: bytes * largeFileCount,
      make: (directory) => makeLargeFiles(directory, bytes),
    };
  });
  return [...small, ...large];
}

async function measureAll(
  trees: readonly Tree[],
  { rounds, say, signal }: BenchmarkOptions,
  { directory, bed }: Scratch,
): Promise<Growth[]> {
  const sshd = await bed.startSshd({ home: bed.directory });
  for (const { name, make } of trees) {
    say(`making ${name}`);
    await make(join(directory, name));
  }
  await bed.configure(
    trees.map(({ name }) => bed.hostAt(sshd, { name, srcdirs: [join(directory, name)] })),
    { stop_grace: 0 },
  );
  const backups = daemonBackups(bed, 'busyd', (tree) => tree.slice(directory.length + 1));
  const records: Growth[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const { name, what, amount } of rotate(trees, round - 1)) {
      const tree = join(directory, name);
      // What a process has taken for a larger tree, it would keep.
      await bed.startDaemon();
      for (const kind of ['full', 'incremental'] as const) {
        signal.throwIfAborted();
        await settleDisk(directory);
        let measurement = { wallMs: NaN, cpuMs: NaN };
        const memory = await peakWhile(bed.daemonPid(), async () => {
          measurement = await backups[kind](tree);
        });
        say(`round ${round}: ${what}, ${kind}: ${(measurement.wallMs / 1000).toFixed(2)} s`);
        records.push({ what, kind, amount, ...measurement, ...memory });
      }
      await bed.stopDaemon();
      await backups.clear(tree);
    }
  }
  return trees.flatMap(({ what }) => records.filter((record) => record.what === what));
}
