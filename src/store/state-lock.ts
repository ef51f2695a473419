/**
 * The lock on a state directory: two daemons on one database and one set of run logs would destroy each other's
 * work. The lock names a process by its id and its start time, so a lock left by a crash is seen as such.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Another daemon uses the state directory. */
export class StateDirInUse extends Error {
  override readonly name = 'StateDirInUse';
}

/** Takes the lock and answers how to release it. Throws StateDirInUse. */
export async function lockStateDir(stateDir: string): Promise<() => Promise<void>> {
  const file = join(stateDir, 'busyd.lock');
  const mine = `${process.pid} ${await startTime(process.pid)}\n`;
  for (;;) {
    try {
      await writeFile(file, mine, { flag: 'wx', mode: 0o640 });
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid, started] = (await readFile(file, 'utf8').catch(() => '')).trim().split(' ');
    if (started && started === (await startTime(Number(pid)))) {
      throw new StateDirInUse(
        `Another busyd (process ${pid}) uses the state directory ${stateDir}. Stop it first, or set another state_dir.`,
      );
    }
    await rm(file, { force: true });
  }
}

/** When a process started, in clock ticks since boot (proc(5), field 22 of stat), or '' when there is none. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
