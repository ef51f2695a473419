/** The disks that hold backups. */
import { stat, statfs } from 'node:fs/promises';

export interface BackupDiskSpace {
  readonly backupdir: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Names the file system below a directory; a directory that cannot be read counts as a disk of its own. */
export async function diskOf(directory: string): Promise<string> {
  const found = await stat(directory).catch(() => null);
  return found ? `device ${found.dev}` : directory;
}

/** The space below a directory; null when it cannot be read. */
export async function spaceOf(backupdir: string): Promise<BackupDiskSpace | null> {
  const disk = await statfs(backupdir).catch(() => null);
  return disk && { backupdir, freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize };
}
