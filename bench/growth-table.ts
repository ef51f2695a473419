/** What backups cost as the work grows, as a table. Pure. */
import type { Measurement } from './measurement.js';
import type { PeakMemory } from './memory.js';
import { percentile } from './statistics.js';
import { formatTable } from './table.js';

export interface Growth extends Measurement, PeakMemory {
  /** The tree. */
  readonly what: string;
  readonly kind: 'full' | 'incremental';
  /** In thousands of small files, or in hundreds of MiB of large ones. */
  readonly amount: number;
}

/** One row for each tree and kind, by their first records; figures are medians. */
export function growthTable(records: readonly Growth[]): string {
  const rows = (['full', 'incremental'] as const).flatMap((kind) => {
    const names = [...new Set(records.map(({ what }) => what))];
    return names.map((what) => rowOf(records.filter((one) => one.kind === kind && one.what === what)));
  });
  const head = [
    'tree',
    'backup',
    'wall s',
    'wall ms for 1,000 files or 100 MiB',
    'CPU ms for them',
    'daemon MiB',
    'executor MiB',
    'rsync MiB',
  ];
  return formatTable([head, ...rows]);
}

function rowOf(same: readonly Growth[]): string[] {
  const median = (value: (one: Growth) => number): number => percentile(same.map(value), 50);
  return [
    same[0]?.what ?? '',
    same[0]?.kind ?? '',
    median(({ wallMs }) => wallMs / 1000).toFixed(2),
    median(({ wallMs, amount }) => wallMs / amount).toFixed(0),
    median(({ cpuMs, amount }) => cpuMs / amount).toFixed(0),
    median(({ daemonMiB }) => daemonMiB).toFixed(0),
    median(({ executorsMiB }) => executorsMiB).toFixed(0),
    median(({ rsyncMiB }) => rsyncMiB).toFixed(0),
  ];
}
