/**
 * CPU time of processes, from /proc. `cutime` and `cstime` of a process are those of its ended children and of their
 * ended children, as far as each was waited for, so nothing has to be sampled while it runs.
 */
import { readFile } from 'node:fs/promises';
import { processTree } from '../clients/quickstart/process-tree.js';

/** Linux shows times in /proc in this unit, whatever the timer of the kernel is. */
const msPerTick = 10;

/** Milliseconds (user and system) that a process, its descendants, and those that have ended among them, have used. */
export async function cpuOfTree(pid: number): Promise<number> {
  const times = (await processTree(pid)).map((member) => ticksOf(member));
  return (
    (await Promise.all(times)).reduce((sum, ticks) => sum + ticks.own + ticks.endedChildren, 0) * msPerTick
  );
}

/**
 * Milliseconds (user and system) of all children of this process that have ended. Node's own `resourceUsage` does
 * not know children, and what rsync starts (its second process, ssh) is counted too, since rsync waits for it.
 */
export async function cpuOfEndedChildren(): Promise<number> {
  return (await ticksOf(process.pid)).endedChildren * msPerTick;
}

async function ticksOf(pid: number): Promise<{ own: number; endedChildren: number }> {
  // A process that has ended since it was listed is in the sum of its parent, which comes before it in the list.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0, userOfChildren = 0, systemOfChildren = 0] = fields.slice(11, 15).map(Number);
  return { own: user + system, endedChildren: userOfChildren + systemOfChildren };
}
