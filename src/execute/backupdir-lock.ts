/**
 * The lock on a backup directory: two daemons that write there, for example of two servers on one network share,
 * would take each other's partial snapshots for their own. It stands in the directory itself, so that it is seen from
 * every machine.
 */
import { join } from 'node:path';
import { BusyError } from '../core/errors.js';
import { claimLock, releaseLock } from '../process-lock.js';

const fileName = '.busyd.lock';

/**
 * Takes the lock for a daemon (its process id), or finds that it has it. Throws BACKUPDIR_IN_USE, or what the file
 * system says when the directory is not there or cannot be written.
 */
export async function claimBackupdir(backupdir: string, pid: number): Promise<void> {
  const file = join(backupdir, fileName);
  const owner = await claimLock(file, pid);
  if (owner === null) return;
  const machine = owner.hostname === undefined ? 'an unknown machine' : `machine ${owner.hostname}`;
  throw new BusyError('BACKUPDIR_IN_USE', {
    backupdir,
    file,
    machine,
    pid: String(owner.pid ?? 'unknown'),
  });
}

/**
 * Takes the locks at the start of a daemon, so that two of them are told apart before anything runs. A directory that
 * is not there or cannot be written is left to the backup that needs it, since a script may mount it first; `onSkip`
 * hears of it. Throws BACKUPDIR_IN_USE and holds none then.
 */
export async function claimBackupdirs(
  backupdirs: Iterable<string>,
  pid: number,
  onSkip: (backupdir: string, error: unknown) => void,
): Promise<void> {
  const all = [...new Set(backupdirs)];
  for (const backupdir of all) {
    try {
      await claimBackupdir(backupdir, pid);
    } catch (error) {
      if (error instanceof BusyError) {
        await releaseBackupdirs(all, pid);
        throw error;
      }
      onSkip(backupdir, error);
    }
  }
}

export async function releaseBackupdirs(backupdirs: Iterable<string>, pid: number): Promise<void> {
  for (const backupdir of backupdirs) await releaseLock(join(backupdir, fileName), pid);
}
