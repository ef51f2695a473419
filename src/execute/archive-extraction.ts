/** Has GNU tar take members out of an archive, and hears what it could not give back. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ArchiveRecord } from '../core/archive.js';
import type { BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import { isOutOfSpace } from '../core/job-outcome.js';
import { freeFor, type MinFree } from '../core/space.js';
import { roomOf } from './disk.js';
import { describeEnding, startProcess } from './process.js';
import { TarFaults } from './tar-words.js';

export interface Extraction {
  readonly archive: ArchiveRecord;
  /** A directory of this use alone, see `createScratch`. */
  readonly scratch: string;
  /** What must stay free on its disk. */
  readonly minFree: MinFree;
  readonly say: (text: string) => void;
}

export interface Members {
  /** As the tarball calls them. */
  readonly members: readonly BytePath[];
  /** Directories whose attributes are wanted, but not what is in them; as the tarball calls them, highest first. */
  readonly parents: readonly BytePath[];
  /** What they take, holes included. */
  readonly bytes: number;
}

/** What could not be given back of what was taken out: attributes and the like. */
export type Losses = Pick<TarFaults, 'count' | 'first'>;

const mostSaid = 100;
const mostWords = 20;

/** Throws RESTORE_NO_ROOM, ARCHIVE_NOT_RESTORABLE, CANCELLED or what the file system says. */
export async function extractMembers(
  extraction: Extraction,
  { members, parents, bytes }: Members,
  signal: AbortSignal,
): Promise<Losses> {
  await requireRoom(extraction, bytes);
  const losses = new TarFaults('unpacking');
  if (members.length > 0)
    await extract(extraction, { name: 'members', paths: members, options: [] }, losses, signal);
  // After what is in them, so that they keep their times; they come early in the tarball, and reading ends with the last.
  const above = { name: 'parents', paths: parents, options: ['--no-recursion', '--occurrence=1'] };
  if (parents.length > 0) await extract(extraction, above, losses, signal);
  return losses;
}

async function requireRoom({ scratch, minFree }: Extraction, bytes: number): Promise<void> {
  const room = await roomOf(scratch);
  // A disk that counts nothing, as some in memory and some of the network, does not tell.
  if (!room || room.total.bytes === 0) return;
  const free = Math.max(0, freeFor(room, minFree));
  if (free >= bytes) return;
  const detail = `${bytes} bytes are needed to unpack what is wanted of the archive, ${free} may be used (min_free)`;
  throw new BusyError('RESTORE_NO_ROOM', { directory: scratch, detail });
}

interface Part {
  readonly name: string;
  readonly paths: readonly BytePath[];
  readonly options: readonly string[];
}

async function extract(
  { archive, scratch, say }: Extraction,
  { name, paths, options }: Part,
  losses: TarFaults,
  signal: AbortSignal,
): Promise<void> {
  const list = join(scratch, `.${name}`);
  await writeFile(list, Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1'));
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
  const tar = startProcess('tar', args, signal);
  // Heard from the beginning: when it cannot be started, that is told while its words are still awaited.
  const ended = tar.ended.catch((error: Error) => error);
  tar.stdin.end();
  tar.stdout.resume();
  const words: string[] = [];
  for await (const line of createInterface({ input: tar.stderr })) {
    if (words.length < mostWords) words.push(line);
    if (losses.hear(line) && losses.count <= mostSaid) say(line);
  }
  const ending = await ended;
  if (signal.aborted) throw new BusyError('CANCELLED');
  if (ending instanceof Error) throw ending;
  if (ending.code === 0) return;
  const detail = `tar ended with ${describeEnding(ending)}: ${words.join('; ').slice(0, 2000)}`;
  if (isOutOfSpace(detail)) throw new BusyError('RESTORE_NO_ROOM', { directory: scratch, detail });
  throw new BusyError('ARCHIVE_NOT_RESTORABLE', { archive: archive.path, detail });
}
