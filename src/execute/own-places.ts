/** Keeps a backup of this machine from backing up the backups, each time all earlier ones with it. */
import { realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isSameHostname, type ReachedHost } from './reach.js';

/**
 * The directory of the backups under all names by which the host may meet it; empty when the host is another machine.
 * It is this one when the connection ends where it began and `hostname` there, if it may be asked, says the same: behind
 * a forwarded port of our own is another machine.
 */
export async function ownBackups(backupdir: string, reached: ReachedHost): Promise<string[]> {
  const isThisMachine =
    reached.connection.isLoop && (reached.hostname === '' || isSameHostname(hostname(), reached.hostname));
  if (!isThisMachine) return [];
  return [...new Set([backupdir, await realpath(backupdir)])];
}
