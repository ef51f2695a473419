/**
 * What is wanted of an archived snapshot, unpacked by GNU tar into a scratch directory on the backup disk, where it looks
 * as in the snapshot. `archive-choice.ts` says beforehand what is there and how much room it takes.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArchiveRecord } from '../core/archive.js';
import { bytesOf, type BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import { isOutOfSpace } from '../core/job-outcome.js';
import { freeFor, type MinFree } from '../core/space.js';
import { roomOf } from './disk.js';
import { workOnDisk } from './disk-thread.js';
import { runProcess } from './process.js';

export interface Unpacking {
  readonly archive: ArchiveRecord;
  /** An empty directory, see `createScratch`. The caller removes it, whatever happens. */
  readonly scratch: string;
  /** What is wanted, absolute on the host; `/` is all. */
  readonly entries: readonly BytePath[];
  /** Directories whose attributes are wanted, but not what is in them; in the archive, highest first. */
  readonly parents: readonly BytePath[];
  /** What must stay free on the disk; null: nothing. */
  readonly minFree: MinFree | null;
}

/**
 * Answers the directory that stands for the snapshot. Throws PATH_NOT_FOUND, RESTORE_NO_ROOM, ARCHIVE_NOT_RESTORABLE,
 * CANCELLED or what the file system says.
 */
export async function unpackArchive(unpacking: Unpacking, signal: AbortSignal): Promise<string> {
  const { archive, scratch, entries, parents } = unpacking;
  const task = { archive: archive.path, snapshot: archive.name, entries };
  const options = { signal, isIdle: false, say: () => {}, onProgress: () => {} };
  const { members, bytes } = await workOnDisk('archive choice', task, options);
  await requireRoom(unpacking, bytes);
  if (members.length > 0) await extract(unpacking, { name: 'members', paths: members, options: [] }, signal);
  // After what is in them, so that they keep their times; they come early in the tarball, and reading ends with the last.
  const above = { name: 'parents', paths: parents, options: ['--no-recursion', '--occurrence=1'] };
  if (parents.length > 0) await extract(unpacking, above, signal);
  return join(scratch, archive.name);
}

async function requireRoom({ scratch, minFree }: Unpacking, bytes: number): Promise<void> {
  const room = await roomOf(scratch);
  if (!room) return;
  const free = minFree ? Math.max(0, freeFor(room, minFree)) : room.free.bytes;
  if (free >= bytes) return;
  const detail = `${bytes} bytes are needed to unpack what is wanted of the archive, ${free} may be used`;
  throw new BusyError('RESTORE_NO_ROOM', { directory: scratch, detail });
}

interface Members {
  readonly name: string;
  readonly paths: readonly BytePath[];
  readonly options: readonly string[];
}

async function extract(
  { archive, scratch }: Unpacking,
  { name, paths, options }: Members,
  signal: AbortSignal,
): Promise<void> {
  const list = join(scratch, `.${name}`);
  const top = `${bytesOf(archive.name)}/data`;
  await writeFile(list, Buffer.from(paths.map((path) => `${top}${path}\0`).join(''), 'latin1'));
  const args = [
    '--extract',
    `--file=${archive.path}`,
    // A colon in a name would else be taken for a machine.
    '--force-local',
    archive.format === 'tar.gz' ? '--gzip' : '--zstd',
    '--directory',
    scratch,
    '--preserve-permissions',
    '--numeric-owner',
    ...(process.getuid?.() === 0 ? ['--same-owner'] : []),
    '--xattrs',
    '--xattrs-include=*',
    '--acls',
    '--null',
    '--verbatim-files-from',
    '--no-unquote',
    ...options,
    `--files-from=${list}`,
  ];
  try {
    await runProcess('tar', args, signal);
  } catch (error) {
    if (signal.aborted) throw new BusyError('CANCELLED', {}, { cause: error });
    const detail = error instanceof Error ? error.message : String(error);
    if (isOutOfSpace(detail))
      throw new BusyError('RESTORE_NO_ROOM', { directory: scratch, detail }, { cause: error });
    throw new BusyError('ARCHIVE_NOT_RESTORABLE', { archive: archive.path, detail }, { cause: error });
  }
}
