/**
 * What a restore wants of an archived snapshot, unpacked by GNU tar into a scratch directory on the backup disk, where it
 * looks as in the snapshot. Its manifest, beside the archive, says beforehand what is there, how much room it takes, and
 * which files share their content with others: such a one is a link in the tarball, whose first name must come along.
 */
import { mkdir, readdir, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArchiveRecord } from '../core/archive.js';
import { bytesOf, showPath, type BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { isOutOfSpace } from '../core/job-outcome.js';
import type { ManifestEntry } from '../core/manifest.js';
import type { RestorePlan } from '../core/restore-plan.js';
import { besideTarball } from './archive-files.js';
import { readManifestFile } from './manifest-reader.js';
import { runProcess } from './process.js';
import { discard } from './snapshot-dir.js';

const scratchPrefix = '.restore-';

export interface Unpacking {
  readonly archive: ArchiveRecord;
  /** The directory of the host in its backup directory. */
  readonly store: string;
  readonly runId: string;
  readonly plan: RestorePlan;
  readonly say: (text: string) => void;
}

/** The names at the top of an archive's data. Throws ARCHIVE_NOT_RESTORABLE. */
export async function topNamesOf(archive: ArchiveRecord): Promise<BytePath[]> {
  const names = new Set<BytePath>();
  await forEachEntry(archive, ({ path }) => {
    const name = path.split('/')[1];
    if (name !== undefined && name !== '') names.add(name);
  });
  return [...names];
}

/**
 * Unpacks, and answers the directory that stands for the snapshot. Throws PATH_NOT_FOUND, RESTORE_NO_ROOM,
 * ARCHIVE_NOT_RESTORABLE, RESTORE_CANCELLED or what the file system says. The caller removes the scratch directory, whatever happens.
 */
export async function unpackForRestore(unpacking: Unpacking, signal: AbortSignal): Promise<string> {
  const { archive, plan, say } = unpacking;
  const scratch = scratchOf(unpacking);
  const { members, bytes } = await choose(archive, plan);
  await mkdir(scratch, { mode: 0o700 });
  await requireRoom(scratch, bytes);
  say(`unpacks ${archive.path} into ${scratch}`);
  await extract(unpacking, { name: 'members', paths: members, options: [] }, signal);
  // After what is in them, so that they keep their times; they come early in the tarball, and reading ends with the last.
  const parents = { name: 'parents', paths: plan.parents, options: ['--no-recursion', '--occurrence=1'] };
  if (plan.parents.length > 0) await extract(unpacking, parents, signal);
  return join(scratch, archive.name);
}

export function scratchOf({ store, runId }: Pick<Unpacking, 'store' | 'runId'>): string {
  return join(store, `${scratchPrefix}${runId}`);
}

/** What restores of a daemon that died have left of these hosts goes the way of removed snapshots. Never throws. */
export async function discardScratch(hosts: readonly Pick<Host, 'name' | 'backupdir'>[]): Promise<void> {
  for (const { name, backupdir } of hosts) {
    const store = join(backupdir, name);
    const entries = await readdir(store).catch(() => [] as string[]);
    const left = entries.filter((entry) => entry.startsWith(scratchPrefix));
    for (const entry of left) await discard(join(store, entry)).catch(() => {});
  }
}

/** What tar must take out: the entries, and other names of the files in them. */
async function choose(
  archive: ArchiveRecord,
  { entries }: RestorePlan,
): Promise<{ members: BytePath[]; bytes: number }> {
  const chosen = new Set(entries);
  const isWanted = (path: BytePath): boolean => isBelow(path, chosen);
  const found = new Set<BytePath>();
  const inodes = new Map<string, number>();
  let bytes = 0;
  await forEachEntry(archive, ({ path, type, inode, size }) => {
    if (chosen.has(path)) found.add(path);
    if (!isWanted(path) || type === 'directory') return;
    if (!inodes.has(inode)) bytes += size;
    inodes.set(inode, (inodes.get(inode) ?? 0) + 1);
  });
  const missing = entries.find((entry) => !found.has(entry));
  if (missing !== undefined)
    throw new BusyError('PATH_NOT_FOUND', { path: showPath(missing), snapshot: archive.name });
  const others: BytePath[] = [];
  await forEachEntry(archive, ({ path, type, inode }) => {
    if (type !== 'directory' && inodes.has(inode) && !isWanted(path)) others.push(path);
  });
  return { members: [...entries, ...others], bytes };
}

/** Whether a path or a directory above it is one of these. */
function isBelow(path: BytePath, chosen: ReadonlySet<BytePath>): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
    if (chosen.has(path.slice(0, end))) return true;
  return false;
}

async function forEachEntry(archive: ArchiveRecord, take: (entry: ManifestEntry) => void): Promise<void> {
  try {
    for await (const piece of readManifestFile(besideTarball(archive.path).manifest)) piece.forEach(take);
  } catch (error) {
    throw unreadable(archive, `its manifest cannot be read: ${messageOf(error)}`, error);
  }
}

async function requireRoom(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= bytes) return;
  const detail = `${bytes} bytes are needed to unpack what is wanted of the archive, ${bavail * bsize} are free`;
  throw new BusyError('RESTORE_NO_ROOM', { directory, detail });
}

interface Members {
  readonly name: string;
  readonly paths: readonly BytePath[];
  readonly options: readonly string[];
}

async function extract(
  unpacking: Unpacking,
  { name, paths, options }: Members,
  signal: AbortSignal,
): Promise<void> {
  const { archive } = unpacking;
  const scratch = scratchOf(unpacking);
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
    if (signal.aborted) throw new BusyError('RESTORE_CANCELLED', {}, { cause: error });
    const detail = messageOf(error);
    if (isOutOfSpace(detail))
      throw new BusyError('RESTORE_NO_ROOM', { directory: scratch, detail }, { cause: error });
    throw unreadable(archive, detail, error);
  }
}

function unreadable({ path }: ArchiveRecord, detail: string, cause: unknown): BusyError {
  return new BusyError('ARCHIVE_NOT_RESTORABLE', { archive: path, detail }, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
