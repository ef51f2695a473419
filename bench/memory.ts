import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { processTree } from '../clients/quickstart/process-tree.js';

export interface MemoryUse {
  /** Most resident memory of the daemon itself. */
  readonly daemonMiB: number;
  /** Most memory of the daemon and its executors together, with each page that they share counted once. */
  readonly withExecutorsMiB: number;
}

const lookEveryMs = 200;

/** Looks at the memory of the daemon, again and again for some seconds. */
export async function watchMemory(daemon: number, seconds: number): Promise<MemoryUse> {
  let daemonMiB = 0;
  let withExecutorsMiB = 0;
  for (let look = 0; look < (seconds * 1000) / lookEveryMs; look++) {
    const descendants = (await processTree(daemon)).slice(1);
    const shares = await Promise.all(descendants.map(executorShare));
    const together = shares.reduce((sum, mib) => sum + mib, await mibOf(daemon, 'smaps_rollup', 'Pss'));
    daemonMiB = Math.max(daemonMiB, await mibOf(daemon, 'status', 'VmRSS'));
    withExecutorsMiB = Math.max(withExecutorsMiB, together);
    await delay(lookEveryMs);
  }
  return { daemonMiB, withExecutorsMiB };
}

/** The most that each kind of process had, all of a kind together, with each page that they share counted once. */
export interface PeakMemory {
  readonly daemonMiB: number;
  readonly executorsMiB: number;
  /** The rsyncs of this side; those of the host are not in it. */
  readonly rsyncMiB: number;
}

/** Looks at the memory of the daemon and its descendants, again and again until the work is done. */
export async function peakWhile(daemon: number, work: () => Promise<void>): Promise<PeakMemory> {
  const peak = { daemonMiB: 0, executorsMiB: 0, rsyncMiB: 0 };
  const done = new AbortController();
  const working = work().finally(() => done.abort());
  while (!done.signal.aborted) {
    const now = await shareByKind(daemon);
    peak.daemonMiB = Math.max(peak.daemonMiB, now.daemonMiB);
    peak.executorsMiB = Math.max(peak.executorsMiB, now.executorsMiB);
    peak.rsyncMiB = Math.max(peak.rsyncMiB, now.rsyncMiB);
    await delay(lookEveryMs, undefined, { signal: done.signal }).catch(() => {});
  }
  await working;
  return peak;
}

async function shareByKind(daemon: number): Promise<PeakMemory> {
  const sum = { daemonMiB: 0, executorsMiB: 0, rsyncMiB: 0 };
  for (const pid of await processTree(daemon)) {
    const mib = await mibOf(pid, 'smaps_rollup', 'Pss');
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (pid === daemon) sum.daemonMiB += mib;
    else if (command.includes('executor-main')) sum.executorsMiB += mib;
    else if (/^[^\0]*rsync\0/.test(command)) sum.rsyncMiB += mib;
  }
  return sum;
}

/** Nothing for a process that is no executor, such as rsync. */
async function executorShare(pid: number): Promise<number> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes('executor-main') ? mibOf(pid, 'smaps_rollup', 'Pss') : 0;
}

async function mibOf(pid: number, file: string, field: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) / 1024;
}
