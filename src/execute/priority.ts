/**
 * Who waits when all cores are busy: not the daemon, whose answers take a millisecond, but what carries backups. Nothing
 * here throws; a system that does not let a process step back lets it run as it is.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** As `nice` has it: a ninth of the time of one who has not stepped back. */
const stepsBack = 10;
const lowest = 19;

/** For this process, with the threads that it has by now; those that it makes later, and its children, inherit it. */
export function stepBack(): void {
  const priority = Math.min(lowest, getPriority() + stepsBack);
  // Linux knows priorities of threads, and the pool that reads and decompresses is there before the first line runs.
  for (const thread of threads()) {
    try {
      setPriority(thread, priority);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Of this process, by their numbers. */
function threads(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [process.pid];
  }
}

/**
 * For a process that leads a session of its own. Where the kernel shares the time between sessions (autogroup, as most
 * distributions have it), the priority of a process counts only within its session, and that of the session is here.
 */
export function stepSessionBack(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(stepsBack));
  } catch {
    // It has ended already, or the kernel shares otherwise.
  }
}
