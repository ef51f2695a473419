/** The second place of archives: a copy of all files of one, read back and compared before it gets its name. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ArchiveRecord } from '../core/archive.js';
import { BusyError } from '../core/errors.js';
import { besideTarball, partialOf } from './archive-files.js';
import { clearArchiveLeftovers } from './archive-disk.js';
import { flushDirectory } from './snapshot-dir.js';

/**
 * Answers where the tarball of the copy is; one that is there and whole is left. Throws ARCHIVE_COPY_FAILED or
 * CANCELLED; nothing half-written has its final name then.
 */
export async function copyArchive(
  archive: ArchiveRecord,
  directory: string,
  signal: AbortSignal,
): Promise<string> {
  const target = join(directory, basename(archive.path));
  const { json, manifest } = besideTarball(archive.path);
  try {
    // The directory itself is not made: it may be a disk that is not mounted.
    await readdir(directory);
    if ((await hashOfFile(target, signal).catch(() => '')) === archive.sha256) return target;
    await clearArchiveLeftovers(directory, archive.host);
    for (const file of [manifest, json, archive.path]) {
      const partial = join(directory, basename(partialOf(file)));
      await copyFlushed(file, partial);
      if (signal.aborted) throw new BusyError('CANCELLED');
      const wanted = file === archive.path ? archive.sha256 : await hashOfFile(file, signal);
      if ((await hashOfFile(partial, signal)) !== wanted)
        throw new Error(`what was written of ${basename(file)} is not what was read`);
      await rename(partial, join(directory, basename(file)));
    }
    await flushDirectory(directory);
    return target;
  } catch (error) {
    await clearArchiveLeftovers(directory, archive.host).catch(() => {});
    if (signal.aborted) throw new BusyError('CANCELLED', {}, { cause: error });
    const detail = error instanceof Error ? error.message : String(error);
    throw new BusyError('ARCHIVE_COPY_FAILED', { path: archive.path, directory, detail }, { cause: error });
  }
}

async function copyFlushed(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  await copyFile(from, to);
  const file = await open(to, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** SHA-256 in hex. Throws what the file system says, and when `signal` is aborted. */
async function hashOfFile(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const source = createReadStream(file, { highWaterMark: 1024 * 1024, signal });
  for await (const chunk of source as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}
