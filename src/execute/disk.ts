/** The disks that hold backups: which they are, what is free there, and what lies there besides snapshots. */
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../core/host.js';
import type { SpaceDisk } from '../core/ports.js';
import type { DiskRoom, Leftovers } from '../core/space.js';
import { discarded, readHostStore } from './snapshot-dir.js';
import { trashedDirectories } from './trash-dir.js';

/** How long a disk may take to say its name. */
const patienceMs = 5000;

/** The names of the file systems below directories. */
export class DiskNames {
  /** Directories that were asked and have not answered: a disk that hangs keeps one thread waiting, not all. */
  private readonly asked = new Map<string, Promise<string>>();

  constructor(private readonly statOf: (directory: string) => Promise<{ dev: number }> = stat) {}

  /** A directory that cannot be read, or does not answer in time, counts as a disk of its own. Never throws. */
  nameOf(directory: string): Promise<string> {
    const name = this.asked.get(directory) ?? this.ask(directory);
    this.asked.set(directory, name);
    return name;
  }

  private async ask(directory: string): Promise<string> {
    let late: NodeJS.Timeout | undefined;
    const hanging = new Promise<string>((resolve) => {
      late = setTimeout(() => resolve(directory), patienceMs);
    });
    const name = this.statOf(directory)
      .then(
        ({ dev }) => `device ${dev}`,
        () => directory,
      )
      .finally(() => {
        clearTimeout(late);
        this.asked.delete(directory);
      });
    return Promise.race([name, hanging]);
  }
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

async function leftovers({ backupdir, name }: Host): Promise<Leftovers> {
  const directory = join(backupdir, name);
  const store = await readHostStore(directory).catch(() => null);
  return {
    unfinished: store ? store.partials.map(({ path }) => path) : [],
    removed: await discarded(directory),
    trashed: await trashedDirectories(directory),
  };
}
