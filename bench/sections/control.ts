/** The daemon with a thousand hosts, idle and at work. */
import { setTimeout as delay } from 'node:timers/promises';
import { eventLoopLag } from '../event-loop-lag.js';
import { measureListHosts } from '../list-hosts.js';
import { watchMemory } from '../memory.js';
import type { Goal, Row, Unit } from '../one-table.js';
import { startBackups } from '../running-backups.js';
import { withScratch } from '../scratch.js';
import { measureStreamLogs } from '../stream-logs.js';
import { hostCount, startDaemonWithHosts } from '../thousand-hosts.js';
import type { Section } from './section.js';

const sizes = {
  full: { calls: 500, sourceBytes: 256 * 2 ** 20, lines: 500_000, memorySeconds: 6, idleMs: 60_000 },
  quick: { calls: 50, sourceBytes: 128 * 2 ** 20, lines: 50_000, memorySeconds: 1, idleMs: 0 },
} as const;
const pageSize = 100;
const subscribers = 50;
const busyCount = 20;
const callerCount = 10;

const figures = {
  idle: ['memory, idle for a minute', 'MiB', { to: null, limit: 120 }],
  working: [`memory, ${busyCount} backups running`, 'MiB', { to: null, limit: 300 }],
  withExecutors: [`memory with executors, ${busyCount} backups running`, 'MiB', null],
  lagP99: [`event-loop lag p99, ${busyCount} backups running`, 'ms', null],
  lagMax: [`event-loop lag worst, ${busyCount} backups running`, 'ms', null],
  listHosts: [`ListHosts p99, ${callerCount} backups running`, 'ms', { to: null, limit: 10 }],
  listAll: [`ListHosts p99, all ${hostCount} a page`, 'ms', null],
  streamLogs: [
    `StreamLogs, ${subscribers} subscribers`,
    'lines/s',
    { to: null, limit: 200_000, isAtLeast: true },
  ],
} as const satisfies Readonly<Record<string, readonly [what: string, unit: Unit, goal: Goal | null]>>;

type Figure = keyof typeof figures;

export const control: Section = {
  name: 'control',
  isLikeAnother: false,
  describe: ({ isQuick }) => {
    const { calls } = sizes[isQuick ? 'quick' : 'full'];
    return `control: a daemon with ${hostCount} hosts; ListHosts: ${calls} calls, ${pageSize} hosts a page; each backup runs at 5.5 MiB/s`;
  },
  measure: async ({ rounds, isQuick, directory, say, signal }) => {
    const size = sizes[isQuick ? 'quick' : 'full'];
    return withScratch(directory, 32 * size.sourceBytes, async (scratch) => {
      const { bed } = scratch;
      say(`control: making ${hostCount} hosts`);
      const logs = await startDaemonWithHosts(scratch, size);
      const measured = new Map<Figure, number[]>();
      const note = (figure: Figure, value: number): void => {
        measured.set(figure, [...(measured.get(figure) ?? []), value]);
      };
      for (let round = 1; round <= rounds; round++) {
        const begin = (what: string): void => {
          signal.throwIfAborted();
          say(`control, round ${round}: ${what}`);
        };
        if (round === 1) {
          begin('idle');
          // V8 gives back what the start took only when nothing happens for a while.
          await delay(size.idleMs, undefined, { signal });
          note('idle', (await watchMemory(bed.daemonPid(), size.memorySeconds)).daemonMiB);
        }
        begin(`${busyCount} backups`);
        const busy = await startBackups(bed, busyCount);
        const memory = await watchMemory(bed.daemonPid(), size.memorySeconds);
        note('working', memory.daemonMiB);
        note('withExecutors', memory.withExecutorsMiB);
        const lag = await eventLoopLag(bed);
        note('lagP99', lag.p99Ms);
        note('lagMax', lag.maxMs);
        await busy.stop();
        begin(`ListHosts with ${callerCount} backups`);
        const some = await startBackups(bed, callerCount);
        note('listHosts', (await measureListHosts(bed.socket, pageSize, size.calls)).p99Ms);
        note('listAll', (await measureListHosts(bed.socket, hostCount, size.calls / 5)).p99Ms);
        await some.stop();
        begin(`StreamLogs to ${subscribers}`);
        const { linesPerSecond } = await measureStreamLogs(bed.socket, logs.short, subscribers);
        note('streamLogs', linesPerSecond);
      }
      const rows = [...measured].map(([figure, busyd]): Row => {
        const [what, unit, goal] = figures[figure];
        return { what, unit, busyd, others: {}, goals: goal === null ? [] : [goal] };
      });
      return { rows, absent: [], failures: [] };
    });
  },
};
