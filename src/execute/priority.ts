/**
 * Who waits when all cores are busy: not the daemon, whose answers take a millisecond, but what carries backups. Nothing
 * here throws; a system that does not let a process step back lets it run as it is.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

const lowest = 19;

/**
 * For this process, by so much as `nice` has it, with the threads that it has by now; those that it makes later, and its
 * children, inherit it.
 */
export function stepBack(by: number): void {
  const priority = Math.min(lowest, getPriority() + by);
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
 * For a child of this process that leads a session of its own. Where the kernel shares the time between sessions
 * (autogroup, as most distributions have it), the priority of a process counts only within its session, and that of the
 * session is here: as low as ours.
 */
export function stepSessionBack(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(getPriority()));
  } catch {
    // It has ended already, or the kernel shares otherwise.
  }
}
