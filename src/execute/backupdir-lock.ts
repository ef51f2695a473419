/**
 * The lock on a backup directory: daemons that do not know of each other, for example those of two servers on one
 * network share, would take each other's partial snapshots for their own. It stands in the directory itself, so that it
 * is seen from every machine. It is held by one process, or by all daemons of one database: those agree there on who
 * works on which host (core/lease.ts), and may share a directory; anyone else is kept out.
 */
import { join } from 'node:path';
import { BusyError } from '../core/errors.js';
import {
  claimLock,
  claimSharedLock,
  holderOf,
  releaseLock,
  releaseSharedLock,
  type LockOwner,
  type SharedOwner,
} from '../process-lock.js';

/** The process id of a daemon that is alone with its database, or a database that several share. */
export type LockHolder = number | SharedOwner;

const fileName = '.busyd.lock';

/**
 * Takes the lock, or finds that the holder has it. Throws BACKUPDIR_IN_USE, or what the file system says when the
 * directory is not there or cannot be written.
 */
export async function claimBackupdir(backupdir: string, holder: LockHolder): Promise<void> {
  const file = join(backupdir, fileName);
  const owner =
    typeof holder === 'number' ? await claimLock(file, holder) : await claimSharedLock(file, holder);
  if (owner !== null) throw new BusyError('BACKUPDIR_IN_USE', { backupdir, file, owner: describe(owner) });
}

/**
 * Takes the locks at the start of a daemon, so that two of them are told apart before anything runs. A directory that
 * is not there or cannot be written is left to the backup that needs it, since a script may mount it first; `onSkip`
 * hears of it. Throws BACKUPDIR_IN_USE and holds none then.
 */
export async function claimBackupdirs(
  backupdirs: Iterable<string>,
  holder: LockHolder,
  onSkip: (backupdir: string, error: unknown) => void,
): Promise<void> {
  const all = [...new Set(backupdirs)];
  const claimed: string[] = [];
  for (const backupdir of all) {
    try {
      await claimBackupdir(backupdir, holder);
      claimed.push(backupdir);
    } catch (error) {
      if (error instanceof BusyError) {
        // What others hold by the same database stays theirs.
        if (typeof holder === 'number') await releaseBackupdirs(claimed, holder);
        throw error;
      }
      onSkip(backupdir, error);
    }
  }
}

/** Of a shared lock only the last who uses it may do this. */
export async function releaseBackupdirs(backupdirs: Iterable<string>, holder: LockHolder): Promise<void> {
  for (const backupdir of backupdirs) {
    const file = join(backupdir, fileName);
    await (typeof holder === 'number' ? releaseLock(file, holder) : releaseSharedLock(file, holder));
  }
}

/** Who holds the lock, for a person: empty for the holder himself, null for nobody. Never throws. */
export async function lookAtLock(backupdir: string, holder: LockHolder): Promise<string | null> {
  try {
    const found = await holderOf(join(backupdir, fileName), holder);
    return found === 'us' ? '' : found && describe(found);
  } catch (error) {
    return `nobody can tell (${error instanceof Error ? error.message : String(error)})`;
  }
}

function describe({ hostname, pid, database }: Partial<LockOwner & SharedOwner>): string {
  const machine = hostname === undefined ? 'an unknown machine' : `machine ${hostname}`;
  if (database !== undefined)
    return `the daemons of another database (${database}, first seen on ${machine})`;
  return `another busyd (process ${pid ?? 'unknown'} on ${machine})`;
}
