/**
 * What is wanted of an archived snapshot, unpacked by GNU tar into a scratch directory on the backup disk, where it looks
 * as in the snapshot. `archive-choice.ts` says beforehand what is there and how much room it takes. `original-unpack.ts`
 * does the same where an archive is not of a snapshot of ours.
 */
import { join } from 'node:path';
import { bytesOf, type BytePath } from '../core/byte-path.js';
import { extractMembers, type Extraction, type Losses } from './archive-extraction.js';
import { workOnDisk } from './disk-thread.js';

export interface Unpacking extends Extraction {
  /** What is wanted, as its manifest calls it; `/` is all. */
  readonly entries: readonly BytePath[];
  /** Directories whose attributes are wanted, but not what is in them; in the archive, highest first. */
  readonly parents: readonly BytePath[];
}

export interface Unpacked {
  /** Stands for the snapshot. */
  readonly directory: string;
  readonly losses: Losses;
}

/** Throws PATH_NOT_FOUND, RESTORE_NO_ROOM, ARCHIVE_NOT_RESTORABLE, CANCELLED or what the file system says. */
export async function unpackArchive(unpacking: Unpacking, signal: AbortSignal): Promise<Unpacked> {
  const { archive, scratch, entries, parents } = unpacking;
  const task = { archive: archive.path, snapshot: archive.name, entries };
  const options = { signal, isIdle: false, say: () => {}, onProgress: () => {} };
  const { members, bytes } = await workOnDisk('archive choice', task, options);
  const top = bytesOf(archive.manifestRoot === 'data' ? `${archive.name}/data` : archive.name);
  const inTarball = (path: BytePath): BytePath => `${top}${path}`;
  const chosen = { members: members.map(inTarball), parents: parents.map(inTarball), bytes };
  const losses = await extractMembers(unpacking, chosen, signal);
  return { directory: join(scratch, archive.name), losses };
}
