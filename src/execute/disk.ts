/** The disks that hold backups: which they are, what is free there, and what lies there besides snapshots. */
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../core/host.js';
import type { SpaceDisk } from '../core/ports.js';
import type { DiskRoom } from '../core/space.js';
import { discarded, readHostStore } from './snapshot-dir.js';

/** Names the file system below a directory; a directory that cannot be read counts as a disk of its own. */
export async function diskOf(directory: string): Promise<string> {
  const found = await stat(directory).catch(() => null);
  return found ? `device ${found.dev}` : directory;
}

/** What the file system below a directory has, for users without privileges; null when it cannot be read. */
export async function roomOf(directory: string): Promise<DiskRoom | null> {
  const disk = await statfs(directory).catch(() => null);
  if (!disk) return null;
  return {
    free: { bytes: disk.bavail * disk.bsize, inodes: disk.ffree },
    total: { bytes: disk.blocks * disk.bsize, inodes: disk.files },
  };
}

export const spaceDisk: SpaceDisk = { roomOf, leftovers };

async function leftovers({ backupdir, name }: Host): Promise<{ unfinished: string[]; removed: string[] }> {
  const directory = join(backupdir, name);
  const store = await readHostStore(directory).catch(() => null);
  return {
    unfinished: store ? store.partials.map(({ path }) => path) : [],
    removed: await discarded(directory),
  };
}
