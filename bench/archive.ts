/**
 * `npm run bench:archive`: an archive run of busyd beside tar with the same compressors on the same snapshot; and, in runs of
 * their own, how fast ListHosts answers meanwhile. Exit codes: 0 measured, 1 failed, 2 wrong usage.
 */
import {
  describeArchived,
  findArchivers,
  measureArchives,
  type Archived,
  type Archiver,
} from './archive-contest.js';
import { describeMachine, formatMachine } from './machine.js';
import { runBenchmark } from './options.js';
import { percentile, spreadOf } from './statistics.js';
import { formatTable } from './table.js';

const archivers = ['tar czf', 'tar | pigz', 'tar | zstd', 'busyd', 'busyd, zst', 'busyd, asked'] as const;

await runBenchmark({ defaultRounds: 3 }, async (options) => {
  const { rounds, isQuick, isJson } = options;
  const machine = await describeMachine();
  const sizes = isQuick ? { files: 1000, mib: 16 } : { files: 20_000, mib: 200 };
  const { present, absent } = await findArchivers(archivers);
  const records = await measureArchives(options, sizes, present);
  if (isJson) return JSON.stringify({ machine, rounds, sizes, records, absent }, null, 2);
  const about = `${describeArchived(sizes)}; median (and range) of ${rounds} rounds`;
  const missing = absent.map(({ name, remedy }) => `Not here: ${name} (${remedy}).`);
  return [formatMachine(machine), about, '', table(records, present), ...missing].join('\n');
});

function table(records: readonly Archived[], present: readonly Archiver[]): string {
  const of = (by: Archiver): Archived[] => records.filter((record) => record.by === by);
  const ratio = (by: Archiver, to: Archiver, value: (one: Archived) => number): string => {
    // Whoever makes a tar.zst is compared with another that does, and a tar.gz with those.
    if (!present.includes(to) || isZstd(by) !== isZstd(to)) return '';
    return spreadOf(of(by).map((one, round) => value(one) / (of(to)[round]?.seconds ?? NaN))).median.toFixed(
      2,
    );
  };
  const rows = present.map((by) => {
    const { median, min, max } = spreadOf(of(by).map(({ seconds }) => seconds));
    const callsMs = of(by).flatMap((one) => one.callsMs);
    return [
      by,
      `${median.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`,
      ratio(by, 'tar czf', ({ seconds }) => seconds),
      ratio(by, 'tar | pigz', ({ seconds }) => seconds),
      ratio(by, 'tar | zstd', ({ seconds }) => seconds),
      spreadOf(of(by).map(({ writeSeconds }) => writeSeconds)).median.toFixed(2),
      ratio(by, isZstd(by) ? 'tar | zstd' : 'tar | pigz', ({ writeSeconds }) => writeSeconds),
      (spreadOf(of(by).map(({ bytes }) => bytes)).median / 2 ** 20).toFixed(0),
      callsMs.length === 0 ? '' : percentile(callsMs, 99).toFixed(1),
    ];
  });
  const head = [
    'by',
    'wall s',
    'to tar czf',
    'to tar | pigz',
    'to tar | zstd',
    'writing alone s',
    'to that tar',
    'MiB',
    'ListHosts p99 ms',
  ];
  return formatTable([head, ...rows]);
}

function isZstd(by: Archiver): boolean {
  return by === 'tar | zstd' || by === 'busyd, zst';
}
