/**
 * The lock on a state directory: two daemons on one database and one set of run logs would destroy each other's work.
 */
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
