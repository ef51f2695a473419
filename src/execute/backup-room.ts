/** The room of the rsyncs of one backup: its partial snapshot and the link bases, on one mount. */
import { readdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../core/host.js';
import { roomFor, type Room } from './confinement.js';
import type { LinkBases } from './link-bases.js';

export interface BackupRoom {
  readonly room: Room;
  /** To be called when no rsync is left in it. */
  close(): Promise<void>;
}

/**
 * Without link bases the data of the partial snapshot is all there is. With them it is the directory of the host, since
 * links are possible within one mount alone; everything else there, such as the snapshots that are no bases, can only be
 * read, and what the bases and the partial snapshot have beside their data too.
 */
export async function openBackupRoom(
  host: Host,
  directory: string,
  partial: string,
  { paths }: Pick<LinkBases, 'paths'>,
): Promise<BackupRoom> {
  if (paths.length === 0)
    return { room: roomFor(host, { writable: join(partial, 'data'), readOnly: [] }), close: async () => {} };
  const all = (await readdir(directory)).map((name) => join(directory, name));
  const closed = all.filter((path) => path !== partial && !paths.includes(path));
  const beside = await Promise.all([partial, ...paths].map(besideData));
  const readOnly = [...closed, ...beside.flat()];
  const inodes = await Promise.all(readOnly.map(inodeOf));
  return {
    room: roomFor(host, { writable: directory, readOnly }),
    close: async () => {
      // One that was removed just as the room was made was made anew, empty.
      for (const [index, path] of readOnly.entries())
        if ((await inodeOf(path)) !== inodes[index]) await rmdir(path).catch(() => {});
    },
  };
}

/** Empty for a snapshot of the original BUSY, whose source directories lie side by side. */
async function besideData(snapshot: string): Promise<string[]> {
  const names = await readdir(snapshot);
  if (!names.includes('data')) return [];
  return names.filter((name) => name !== 'data').map((name) => join(snapshot, name));
}

async function inodeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ ino }) => ino,
    () => 0,
  );
}
