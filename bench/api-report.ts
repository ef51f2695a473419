/** Figures of the API against their goals, and the tables that people read. Pure. */
import { formatMachine, type Machine } from './machine.js';
import type { CallTimes } from './list-hosts.js';
import type { MemoryUse } from './memory.js';
import { percentile } from './statistics.js';
import type { LogThroughput } from './stream-logs.js';
import { formatTable } from './table.js';

export interface ApiFigures {
  readonly listHosts: ({ backups: number; pageSize: number } & CallTimes)[];
  readonly streamLogs: ({ subscribers: number } & LogThroughput)[];
  readonly memory: ({ backups: number } & MemoryUse)[];
}

export interface JudgedFigure {
  readonly what: string;
  readonly unit: string;
  /** The median of all rounds. */
  readonly value: number;
  readonly goal: { readonly isAtMost: boolean; readonly limit: number } | null;
  /** Null where there is no goal. */
  readonly isMet: boolean | null;
}

export interface ApiReport {
  readonly machine: Machine;
  readonly rounds: number;
  readonly figures: ApiFigures;
  readonly goals: readonly JudgedFigure[];
}

/** Each figure once, with its goal where it has one. */
export function judge({ listHosts, streamLogs, memory }: ApiFigures): JudgedFigure[] {
  const all = [
    ...listHosts.flatMap(({ backups, pageSize, p50Ms, p99Ms }) => {
      const what = `ListHosts, ${pageSize} of 1000 hosts, ${backups} backups running`;
      return [
        figure(`${what}, p50`, 'ms', p50Ms),
        figure(`${what}, p99`, 'ms', p99Ms, { isAtMost: true, limit: 10 }),
      ];
    }),
    ...streamLogs.map(({ subscribers, linesPerSecond }) => {
      const goal = subscribers > 1 ? { isAtMost: false, limit: 200_000 } : null;
      return figure(`StreamLogs, ${subscribers} subscribers, together`, 'lines/s', linesPerSecond, goal);
    }),
    ...memory.flatMap(({ backups, daemonMiB, withExecutorsMiB }) => {
      const goal = { isAtMost: true, limit: backups === 0 ? 120 : 300 };
      return [
        figure(`memory of the daemon, ${backups} backups running`, 'MiB', daemonMiB, goal),
        figure(`memory with its executors, ${backups} backups running`, 'MiB', withExecutorsMiB, goal),
      ];
    }),
  ];
  const names = [...new Set(all.map(({ what }) => what))];
  return names.flatMap((name) => medianOf(all.filter(({ what }) => what === name)));
}

/** The report for people. */
export function formatApi({ machine, rounds, goals }: ApiReport): string {
  const rows = goals.map(({ what, unit, value, goal, isMet }) => [
    what,
    `${value >= 1000 ? Math.round(value) : value.toFixed(1)} ${unit}`,
    goal ? `${goal.isAtMost ? 'at most' : 'at least'} ${goal.limit}: ${isMet ? 'met' : 'missed'}` : '',
  ]);
  return [
    formatMachine(machine),
    `Rounds: ${rounds}. Calls over the unix socket; the client runs on the same machine.`,
    '',
    formatTable([['what', 'measured', 'goal'], ...rows]),
  ].join('\n');
}

function figure(
  what: string,
  unit: string,
  value: number,
  goal: JudgedFigure['goal'] = null,
): Omit<JudgedFigure, 'isMet'> {
  return { what, unit, value, goal };
}

function medianOf(figures: readonly Omit<JudgedFigure, 'isMet'>[]): JudgedFigure[] {
  const value = percentile(
    figures.map((each) => each.value),
    50,
  );
  return figures.slice(0, 1).map((first) => {
    const { goal } = first;
    return { ...first, value, isMet: goal && (goal.isAtMost ? value <= goal.limit : value >= goal.limit) };
  });
}
