/**
 * The lock on a state directory: two daemons on one set of run logs would destroy each other's work. And its name, by
 * which a daemon is known again after a restart.
 */
import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { claimLock, releaseLock } from '../process-lock.js';

/** Another daemon uses the state directory. */
export class StateDirInUse extends Error {
  override readonly name = 'StateDirInUse';
}

/** Takes the lock and answers how to release it. Throws StateDirInUse. */
export async function lockStateDir(stateDir: string): Promise<() => Promise<void>> {
  const file = join(stateDir, 'busyd.lock');
  const owner = await claimLock(file, process.pid);
  if (owner === null) return () => releaseLock(file, process.pid);
  throw new StateDirInUse(
    `Another busyd (process ${owner.pid} on ${owner.hostname}) uses the state directory ${stateDir}. Stop it first, or set another state_dir. If it is gone for good, remove ${file}.`,
  );
}

/** The name of a state directory, which has the lock; made when it has none. Throws as the file system does. */
export async function homeOf(stateDir: string): Promise<string> {
  const file = join(stateDir, 'daemon-id');
  const found = await readFile(file, 'utf8').catch(() => '');
  if (/^[0-9a-f-]{36}\n$/.test(found)) return found.trim();
  const home = randomUUID();
  await writeFile(`${file}.new`, `${home}\n`, { mode: 0o644 });
  await rename(`${file}.new`, file);
  return home;
}
