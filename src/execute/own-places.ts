/**
 * Keeps a backup of this machine from backing up what it must not: the backups, each time all earlier ones with it, and
 * the secrets of BUSY itself, which open all other hosts to whoever reads one of the snapshots.
 */
import { realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isSameHostname, type ReachedHost } from './reach.js';

/**
 * It is this machine when the connection ends where it began and `hostname` there, if it may be asked, says the same:
 * behind a forwarded port of our own is another machine.
 */
export function isThisMachine(reached: ReachedHost): boolean {
  return (
    reached.connection.isLoop && (reached.hostname === '' || isSameHostname(hostname(), reached.hostname))
  );
}

/**
 * The directory of the backups under all names by which the host may meet it; empty when the host is another machine.
 * Throws what the file system says when it is not there.
 */
export async function ownBackups(backupdir: string, reached: ReachedHost): Promise<string[]> {
  return isThisMachine(reached) ? [...new Set([backupdir, await realpath(backupdir)])] : [];
}

/** The same of the places of secrets; one that is not there is named all the same. */
export async function ownSecrets(places: readonly string[], reached: ReachedHost): Promise<string[]> {
  if (!isThisMachine(reached)) return [];
  const real = await Promise.all(places.map((place) => realpath(place).catch(() => place)));
  return [...new Set([...places, ...real])];
}
