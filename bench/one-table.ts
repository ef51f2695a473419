/** The one table of `npm run bench`: from single measurements to ratios and verdicts. Pure. */
import type { Absence, Failure } from './peers/all-peers.js';
import { spreadOf, type Spread } from './statistics.js';
import { formatTable } from './table.js';

export type Unit = 's' | 'ms' | 'MiB' | 'lines/s';

/** One line of the table. All values are in the unit, one for each round, in the order of the rounds. */
export interface Row {
  readonly what: string;
  readonly unit: Unit;
  readonly busyd: readonly number[];
  /** The same thing done by others, by name. */
  readonly others: Readonly<Record<string, readonly number[]>>;
  /** Others that were measured in the first round only. */
  readonly onlyInFirstRound?: readonly string[];
  /** Others that failed at it, or before it. */
  readonly failed?: readonly string[];
  readonly goals: readonly Goal[];
}

export interface Goal {
  /** Null: a limit for the value itself; else for its ratio to that of another. */
  readonly to: string | null;
  readonly limit: number;
  readonly isAtLeast?: boolean;
}

export interface JudgedRow extends Row {
  readonly median: number;
  /** BUSY divided by the other, in the same round. */
  readonly ratios: Readonly<Record<string, Spread>>;
  readonly verdicts: readonly Verdict[];
}

export interface Verdict extends Goal {
  /** Null where the other was not there. */
  readonly isMet: boolean | null;
}

/** Behind a ratio of the first round alone. */
const onceMark = '¹';

/** Where the rounds differ by more than this share of the median, the table says so. */
const calm = 0.25;

export function judgeRow(row: Row): JudgedRow {
  const { median } = spreadOf(row.busyd);
  const ratios = Object.fromEntries(
    Object.entries(row.others).map(([name, values]) => [name, ratiosOf(row, name, values)]),
  );
  const verdicts = row.goals.map((goal): Verdict => {
    const value = goal.to === null ? median : ratios[goal.to]?.median;
    if (value === undefined) return { ...goal, isMet: null };
    return { ...goal, isMet: goal.isAtLeast === true ? value >= goal.limit : value <= goal.limit };
  });
  return { ...row, median, ratios, verdicts };
}

/** `columns` names those who have a column of their own; all others stand in the last one. */
export function formatOneTable(
  rows: readonly JudgedRow[],
  columns: readonly string[],
  absent: readonly Absence[],
  failures: readonly Failure[] = [],
): string {
  const isAway = new Set(absent.map(({ name }) => name));
  const head = ['what', 'BUSY', 'goal', ...columns, 'others'];
  const body = rows.map((row) => {
    const isCompared = columns.some((column) => column in row.ratios);
    const own = columns.map((column) => {
      const ratio = row.ratios[column];
      if (ratio !== undefined) return formatRatio(ratio) + (isOnce(row, column) ? onceMark : '');
      if (row.failed?.includes(column)) return 'failed';
      return isCompared && isAway.has(column) ? 'not here' : '';
    });
    const others = Object.entries(row.ratios)
      .filter(([name]) => !columns.includes(name))
      .map(([name, ratio]) => `${name} ${formatRatio(ratio)}`);
    return [
      row.what,
      formatValue(row.median, row.unit),
      row.verdicts.map(formatVerdict).join('; '),
      ...own,
      others.join(', '),
    ];
  });
  const missing = absent.map(({ name, remedy }) => `Not here: ${name} (${remedy}).`);
  const failed = failures.map(({ name, at, why }) => `failed: ${name} (${at}): ${why}`);
  const hasOnce = rows.some((row) => columns.some((column) => column in row.ratios && isOnce(row, column)));
  const once = hasOnce ? [`${onceMark} measured in the first round only.`] : [];
  return [formatTable([head, ...body]), ...once, ...missing, ...failed].join('\n');
}

function ratiosOf(row: Row, name: string, values: readonly number[]): Spread {
  const busyd = isOnce(row, name) ? row.busyd.slice(0, 1) : row.busyd;
  if (values.length !== busyd.length)
    throw new Error(`${row.what}: ${name} was measured ${values.length} times, BUSY ${busyd.length} times.`);
  return spreadOf(busyd.map((value, round) => value / (values[round] ?? NaN)));
}

/** Whether fewer rounds stand behind its ratio than behind the others. */
function isOnce({ busyd, onlyInFirstRound = [] }: Row, name: string): boolean {
  return busyd.length > 1 && onlyInFirstRound.includes(name);
}

function formatRatio({ median, min, max }: Spread): string {
  return `${max - min > calm * median ? '~' : ''}${median.toFixed(2)}`;
}

function formatValue(value: number, unit: Unit): string {
  if (value >= 10_000) return `${Math.round(value / 1000)},000 ${unit}`;
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(unit === 's' ? 2 : 1)} ${unit}`;
}

function formatVerdict({ to, limit, isAtLeast, isMet }: Verdict): string {
  const bound = `${isAtLeast === true ? '≥' : '≤'} ${limit.toLocaleString('en')}`;
  const verdict = isMet === null ? 'not measured' : isMet ? 'met' : '**missed**';
  return `${bound}${to === null ? '' : ` ${to}`}: ${verdict}`;
}
