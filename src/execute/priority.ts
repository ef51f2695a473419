/**
 * Who waits when all cores are busy: not the daemon, whose answers take a millisecond, but what carries backups. Nothing
 * here throws; a system that does not let a process step back lets it run as it is.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** As `nice` has it: a ninth of the time of one who has not stepped back. */
const steppedBack = 10;

/** For this process, with the threads that it has by now; those that it makes later, and its children, inherit it. */
export function stepBack(): void {
  try {
    // Linux knows priorities of threads, and the pool that reads and decompresses is there before the first line runs.
    for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), steppedBack);
  } catch {
    // A thread that has ended meanwhile, or a system without them.
  }
}

/**
 * For a process that leads a session of its own. Where the kernel shares the time between sessions (autogroup, as most
 * distributions have it), the priority of a process counts only within its session, and that of the session is here.
 */
export function stepSessionBack(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(steppedBack));
  } catch {
    // It has ended already, or the kernel shares otherwise.
  }
}
