/** From single measurements to the table that people read. Pure. */
import { formatMachine, type Machine } from './machine.js';
import type { Measurement } from './measurement.js';
import { spreadOf, type Spread } from './statistics.js';
import { formatTable } from './table.js';
import { largeFileCount, type TreeSizes } from './trees.js';

export interface TransferRecord extends Measurement {
  readonly round: number;
  readonly tree: string;
  readonly kind: string;
  readonly contestant: string;
}

export interface TransferSummary {
  readonly tree: string;
  readonly kind: string;
  readonly contestant: string;
  readonly wallMs: Spread;
  readonly cpuMs: Spread;
  /** To the baseline in the same round. */
  readonly wallRatio: Spread;
  readonly cpuRatio: Spread;
  /** What the median of `wallRatio` may be at most; null for those that are only there to compare. */
  readonly goal: number | null;
}

export interface TransferReport {
  readonly machine: Machine;
  readonly rounds: number;
  readonly sizes: TreeSizes;
  readonly summary: readonly TransferSummary[];
}

/** The contestant that the others are compared with: rsync by hand with the options of the daemon. */
export const baseline = 'rsync -aHAXS';

/** Most of the baseline's wall time that a backup of the daemon may take, by tree. */
const goals: ReadonlyMap<string, number> = new Map([
  ['large', 1],
  ['small', 1.1],
]);

/** One entry for each tree, kind and contestant, in the order of their first measurement. */
export function summarize(records: readonly TransferRecord[]): TransferSummary[] {
  const firsts = records.filter(
    (record, index) => records.findIndex((other) => isSame(other, record)) === index,
  );
  return firsts.map(({ tree, kind, contestant }) => {
    const own = records.filter((record) => isSame(record, { tree, kind, contestant }));
    const ratios = (value: (record: TransferRecord) => number): Spread =>
      spreadOf(own.map((record) => value(record) / value(baselineOf(record, records))));
    return {
      tree,
      kind,
      contestant,
      wallMs: spreadOf(own.map((record) => record.wallMs)),
      cpuMs: spreadOf(own.map((record) => record.cpuMs)),
      wallRatio: ratios((record) => record.wallMs),
      cpuRatio: ratios((record) => record.cpuMs),
      goal: contestant.startsWith('busyd') ? (goals.get(tree) ?? null) : null,
    };
  });
}

/** The report for people. */
export function formatTransfers({ machine, rounds, sizes, summary }: TransferReport): string {
  const head = ['tree', 'backup', 'by', 'wall s', 'CPU s', 'wall ratio', 'CPU ratio', 'goal'];
  const rows = [...summary]
    .sort(byTreeAndKind)
    .map((entry) => [
      entry.tree,
      entry.kind,
      entry.contestant,
      formatSpread(entry.wallMs, 1000),
      formatSpread(entry.cpuMs, 1000),
      formatSpread(entry.wallRatio, 1),
      formatSpread(entry.cpuRatio, 1),
      describeGoal(entry),
    ]);
  const large = `${largeFileCount} files of ${sizes.largeFileBytes / 2 ** 20} MiB`;
  return [
    formatMachine(machine),
    `large: ${large}; small: ${sizes.smallFileCount} files of 0.5 to 8 KiB; incompressible, unchanged between the backups`,
    `Median (and range) of ${rounds} rounds. Ratios are to ${baseline} --numeric-ids -e ssh in the same round.`,
    '',
    formatTable([head, ...rows]),
  ].join('\n');
}

type Subject = Pick<TransferRecord, 'tree' | 'kind' | 'contestant'>;

function isSame(a: Subject, b: Subject): boolean {
  return a.tree === b.tree && a.kind === b.kind && a.contestant === b.contestant;
}

function baselineOf(record: TransferRecord, records: readonly TransferRecord[]): TransferRecord {
  const found = records.find(
    (other) => other.round === record.round && isSame(other, { ...record, contestant: baseline }),
  );
  if (!found) throw new Error(`There is no measurement of ${baseline} in round ${record.round}.`);
  return found;
}

function byTreeAndKind(a: TransferSummary, b: TransferSummary): number {
  return (
    a.tree.localeCompare(b.tree) || a.kind.localeCompare(b.kind) || b.contestant.localeCompare(a.contestant)
  );
}

function formatSpread({ median, min, max }: Spread, unit: number): string {
  const show = (value: number): string => (value / unit).toFixed(2);
  return min === max ? show(median) : `${show(median)} (${show(min)}-${show(max)})`;
}

function describeGoal({ goal, wallRatio }: TransferSummary): string {
  if (goal === null) return '';
  return `${goal.toFixed(1)}: ${wallRatio.median <= goal ? 'met' : 'missed'}`;
}
