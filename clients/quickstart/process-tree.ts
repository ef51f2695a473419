/** Ends processes together with all that they started, found by the parent links in /proc. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const politeMs = 5000;

/** Kills a process and all its descendants at once, and waits until they are gone. */
export async function killProcessTree(pid: number): Promise<void> {
  const frozen = new Set<number>();
  // Each round stops what it finds, until no process is left that could start another one meanwhile.
  for (let found = await newMembers(pid, frozen); found.length > 0; found = await newMembers(pid, frozen)) {
    for (const member of found) {
      frozen.add(member);
      signalProcess(member, 'SIGSTOP');
    }
  }
  for (const member of frozen) signalProcess(member, 'SIGKILL');
  await waitUntilGone([...frozen]);
}

/** Asks a process and its descendants to end; what is left after five seconds is killed. */
export async function stopProcessTree(pid: number): Promise<void> {
  const members = await processTree(pid);
  for (const member of members) signalProcess(member, 'SIGTERM');
  if (await waitUntilGone(members, politeMs)) return;
  for (const member of members) signalProcess(member, 'SIGKILL');
  await waitUntilGone(members);
}

/** The process and its descendants, parents first; empty when the process does not run. */
export async function processTree(pid: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = await parentOf(Number(entry));
    if (parent !== null) parents.set(Number(entry), parent);
  }
  if (!parents.has(pid)) return [];
  const members = [pid];
  for (const member of members) {
    for (const [child, parent] of parents) if (parent === member) members.push(child);
  }
  return members;
}

/** Sends a signal; a process that has gone already is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function newMembers(pid: number, known: ReadonlySet<number>): Promise<number[]> {
  return (await processTree(pid)).filter((member) => !known.has(member));
}

async function waitUntilGone(pids: readonly number[], limitMs = Infinity): Promise<boolean> {
  const endMs = performance.now() + limitMs;
  for (const pid of pids) {
    while ((await parentOf(pid)) !== null) {
      if (performance.now() > endMs) return false;
      await delay(10);
    }
  }
  return true;
}

/**
 * When a process started, in clock ticks since the machine did; null when it has ended. Together with the number of
 * the process it tells whether that is still the same one.
 */
export async function processStartTime(pid: number): Promise<number | null> {
  const fields = await statFields(pid);
  return fields && Number(fields[19]);
}

async function parentOf(pid: number): Promise<number | null> {
  const fields = await statFields(pid);
  return fields && Number(fields[1]);
}

/** The fields after the name; null when the process has ended, also when nobody has asked for its exit code yet. */
async function statFields(pid: number): Promise<string[] | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses and may hold anything, blanks and parentheses too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : fields;
  } catch {
    return null;
  }
}
