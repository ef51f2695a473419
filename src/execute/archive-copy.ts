/** The second place of archives: a copy of all files of one, read back and compared before it gets its name. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ArchiveRecord } from '../core/archive.js';
import { BusyError } from '../core/errors.js';
import { besideTarball, partialOf } from './archive-files.js';
import { clearArchiveLeftovers } from './archive-disk.js';
import { flushDirectory } from './snapshot-dir.js';

export interface CopyHooks {
  readonly signal: AbortSignal;
  /** So many bytes more were read or written, of a file. */
  readonly onBytes: (bytes: number, file: string) => void;
}

const bytesAtOnce = 1024 * 1024;

/**
 * Answers where the tarball of the copy is; one that is there and whole is left. In memory are a few pieces. Throws
 * ARCHIVE_COPY_FAILED or CANCELLED; nothing half-written has its final name then.
 */
export async function copyArchive(
  archive: ArchiveRecord,
  directory: string,
  hooks: CopyHooks,
): Promise<string> {
  const target = join(directory, basename(archive.path));
  const { json, manifest } = besideTarball(archive.path);
  try {
    // The directory itself is not made: it may be a disk that is not mounted.
    const names = await readdir(directory);
    const isThere = names.includes(basename(target)) && (await hashOfFile(target, hooks)) === archive.sha256;
    if (isThere) return target;
    await clearArchiveLeftovers(directory, archive.host);
    const files = [manifest, json, archive.path];
    for (const file of files) {
      const partial = join(directory, basename(partialOf(file)));
      const read = await copyFlushed(file, partial, hooks);
      if (file === archive.path && read !== archive.sha256)
        throw new Error(`${basename(file)} is not what it was when it was read back`);
      if ((await hashOfFile(partial, hooks)) !== read)
        throw new Error(`what was written of ${basename(file)} is not what was read`);
    }
    // All at once: what lies beside a copy that was made before must tell of that one as long as it is there.
    for (const file of files)
      await rename(join(directory, basename(partialOf(file))), join(directory, basename(file)));
    await flushDirectory(directory);
    return target;
  } catch (error) {
    await clearArchiveLeftovers(directory, archive.host).catch(() => {});
    if (hooks.signal.aborted) throw new BusyError('CANCELLED', {}, { cause: error });
    const detail = error instanceof Error ? error.message : String(error);
    throw new BusyError('ARCHIVE_COPY_FAILED', { path: archive.path, directory, detail }, { cause: error });
  }
}

/** Answers the SHA-256 in hex of what was read. */
async function copyFlushed(from: string, to: string, { signal, onBytes }: CopyHooks): Promise<string> {
  await rm(to, { force: true });
  const hash = createHash('sha256');
  const file = await open(to, 'wx', 0o640);
  try {
    const source = createReadStream(from, { highWaterMark: bytesAtOnce, signal });
    for await (const chunk of source as AsyncIterable<Buffer>) {
      hash.update(chunk);
      // From where the last one ended.
      await file.writeFile(chunk);
      onBytes(chunk.length, from);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/** SHA-256 in hex. Throws what the file system says, and when `signal` is aborted. */
async function hashOfFile(file: string, { signal, onBytes }: CopyHooks): Promise<string> {
  const hash = createHash('sha256');
  const source = createReadStream(file, { highWaterMark: bytesAtOnce, signal });
  for await (const chunk of source as AsyncIterable<Buffer>) {
    hash.update(chunk);
    onBytes(chunk.length, file);
  }
  return hash.digest('hex');
}
