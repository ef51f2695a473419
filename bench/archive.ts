/**
 * `npm run bench:archive`: an archive run of busyd beside `tar czf` and `tar | pigz` on the same snapshot; and, in runs of
 * their own, how fast ListHosts answers meanwhile. Exit codes: 0 measured, 1 failed, 2 wrong usage.
 */
import {
  archivers,
  describeArchived,
  measureArchives,
  type Archived,
  type Archiver,
} from './archive-contest.js';
import { describeMachine, formatMachine } from './machine.js';
import { runBenchmark } from './options.js';
import { spreadOf } from './statistics.js';
import { formatTable } from './table.js';

await runBenchmark({ defaultRounds: 3 }, async (options) => {
  const { rounds, isQuick, isJson } = options;
  const machine = await describeMachine();
  const sizes = isQuick ? { files: 1000, mib: 16 } : { files: 20_000, mib: 200 };
  const records = await measureArchives(options, sizes, archivers);
  if (isJson) return JSON.stringify({ machine, rounds, sizes, records }, null, 2);
  const about = `${describeArchived(sizes)}; median (and range) of ${rounds} rounds`;
  return `${formatMachine(machine)}\n${about}\n\n${table(records)}`;
});

function table(records: readonly Archived[]): string {
  const of = (by: Archiver): Archived[] => records.filter((record) => record.by === by);
  const ratio = (by: Archiver, to: Archiver, value: (one: Archived) => number): string =>
    spreadOf(of(by).map((one, round) => value(one) / (of(to)[round]?.seconds ?? NaN))).median.toFixed(2);
  const rows = archivers.map((by) => {
    const { median, min, max } = spreadOf(of(by).map(({ seconds }) => seconds));
    return [
      by,
      `${median.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`,
      ratio(by, 'tar czf', ({ seconds }) => seconds),
      ratio(by, 'tar | pigz', ({ seconds }) => seconds),
      spreadOf(of(by).map(({ writeSeconds }) => writeSeconds)).median.toFixed(2),
      ratio(by, 'tar | pigz', ({ writeSeconds }) => writeSeconds),
      (spreadOf(of(by).map(({ bytes }) => bytes)).median / 2 ** 20).toFixed(0),
      by === 'busyd, asked' ? spreadOf(of(by).map(({ p99Ms }) => p99Ms)).median.toFixed(1) : '',
    ];
  });
  const head = [
    'by',
    'wall s',
    'to tar czf',
    'to tar | pigz',
    'writing alone s',
    'to tar | pigz',
    'MiB',
    'ListHosts p99 ms',
  ];
  return formatTable([head, ...rows]);
}
