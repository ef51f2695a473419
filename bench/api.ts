/**
 * `npm run bench:api`: what the daemon answers how fast, and what memory it takes, with 1000 hosts and while backups
 * run. Exit codes: 0 measured, 1 failed, 2 wrong usage.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { formatApi, judge, type ApiFigures } from './api-report.js';
import { measureListHosts } from './list-hosts.js';
import { describeMachine } from './machine.js';
import { watchMemory } from './memory.js';
import { runBenchmark } from './options.js';
import { startBackups } from './running-backups.js';
import { withScratch } from './scratch.js';
import { measureStreamLogs } from './stream-logs.js';
import { hostCount, startDaemonWithHosts } from './thousand-hosts.js';

const sizes = {
  full: { calls: 2000, sourceBytes: 512 * 2 ** 20, lines: 1_000_000, memorySeconds: 10, idleMs: 60_000 },
  quick: { calls: 200, sourceBytes: 256 * 2 ** 20, lines: 100_000, memorySeconds: 3, idleMs: 0 },
} as const;

await runBenchmark({ defaultRounds: 1 }, async ({ rounds, isQuick, directory, isJson, say, signal }) => {
  const machine = await describeMachine();
  const size = isQuick ? sizes.quick : sizes.full;
  const figures = await withScratch(directory, 32 * size.sourceBytes, async (scratch) => {
    const { bed } = scratch;
    say(`making ${hostCount} hosts`);
    const logs = await startDaemonWithHosts(scratch, size);
    const figure: ApiFigures = { listHosts: [], streamLogs: [], memory: [] };
    for (let round = 1; round <= rounds; round++) {
      for (const backups of [0, 10, 20]) {
        signal.throwIfAborted();
        const running = await startBackups(bed, backups);
        // V8 gives back what the start took only when nothing happens for a while.
        if (backups === 0) await delay(size.idleMs, undefined, { signal });
        say(`round ${round}: memory with ${backups} backups running`);
        figure.memory.push({ backups, ...(await watchMemory(bed.daemonPid(), size.memorySeconds)) });
        if (backups <= 10) {
          for (const pageSize of [100, hostCount]) {
            say(`round ${round}: ListHosts, ${pageSize} a page, with ${backups} backups running`);
            // The backups must not end before: fewer calls where each takes longer.
            const calls = pageSize === hostCount ? size.calls / 5 : size.calls;
            const times = await measureListHosts(bed.socket, pageSize, calls);
            figure.listHosts.push({ backups, pageSize, ...times });
          }
        }
        await running.stop();
      }
      for (const subscribers of [1, 50]) {
        signal.throwIfAborted();
        say(`round ${round}: StreamLogs to ${subscribers}`);
        const log = subscribers === 1 ? logs.long : logs.short;
        figure.streamLogs.push({ subscribers, ...(await measureStreamLogs(bed.socket, log, subscribers)) });
      }
    }
    return figure;
  });
  const goals = judge(figures);
  return isJson
    ? JSON.stringify({ machine, rounds, size, figures, goals }, null, 2)
    : formatApi({ machine, rounds, figures, goals });
});
