/** Archive directories: what is in them, what goes, and what a run that was killed has left there. */
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BusyError } from '../core/errors.js';
import { isOutOfSpace } from '../core/job-outcome.js';
import type { ArchiveDisk } from '../core/archive-ports.js';
import {
  besideTarball,
  listArchives,
  ownerOfFile,
  parseArchiveName,
  partialArchivePrefix,
} from './archive-files.js';
import { removeCopy } from './archive-copies.js';
import { faultPoint } from '../fault-points.js';
import { flushDirectory } from './snapshot-dir.js';

export const archiveDisk: ArchiveDisk = {
  remove: async (archive) => {
    await onArchiveDisk(dirname(archive.path), () => removeFiles(archive.path));
    return removeCopy(archive, [archive.copyPath]);
  },
  list: (archivedir, host) => onArchiveDisk(archivedir, () => listArchives(archivedir, host)),
};

/** Runs `work` in an archive directory and turns what the system says into a reason. */
export async function onArchiveDisk<T>(archivedir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BusyError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    const reason = isOutOfSpace(detail) ? 'ARCHIVE_DISK_FULL' : 'ARCHIVEDIR_UNUSABLE';
    throw new BusyError(reason, { archivedir, detail }, { cause: error });
  }
}

/**
 * Removes what runs of a host that came to no end have left: files that never got their names, and what lies beside a
 * tarball that is not there. To be called while nothing else archives this host. Throws what the file system says.
 */
export async function clearArchiveLeftovers(archivedir: string, host: string): Promise<void> {
  const names = await readdir(archivedir);
  const whole = new Set(
    names.filter((name) => parseArchiveName(name) !== null).map((name) => stemOf(join(archivedir, name))),
  );
  for (const name of names) {
    if (ownerOfFile(name)?.host !== host || parseArchiveName(name) !== null) continue;
    const stem = join(archivedir, name).replace(/\.(json|manifest\.gz)$/, '');
    if (name.startsWith(partialArchivePrefix) || !whole.has(stem))
      await rm(join(archivedir, name), { force: true });
  }
}

function stemOf(tarball: string): string {
  return besideTarball(tarball).json.replace(/\.json$/, '');
}

/** One that is gone already is what was wanted, unless its whole directory is. */
async function removeFiles(tarball: string): Promise<void> {
  const directory = dirname(tarball);
  await readdir(directory);
  const { json, manifest } = besideTarball(tarball);
  await rm(join(directory, basename(tarball)), { force: true });
  await flushDirectory(directory);
  faultPoint('archive is removed');
  for (const file of [json, manifest]) await rm(file, { force: true });
}
