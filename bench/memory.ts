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

/** Nothing for a process that is no executor, such as rsync. */
async function executorShare(pid: number): Promise<number> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes('executor-main') ? mibOf(pid, 'smaps_rollup', 'Pss') : 0;
}

async function mibOf(pid: number, file: string, field: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) / 1024;
}
