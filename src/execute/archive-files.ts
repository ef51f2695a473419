/**
 * The archives of a directory on disk. Beside each tarball `HOST-SNAPSHOT.tar.gz` (or `.tar.zst`) lies `HOST-SNAPSHOT.json`,
 * which says what it is, and `HOST-SNAPSHOT.manifest.gz`, the manifest of the snapshot, so that listing need not read
 * the tarball. All three are written as `.partial-NAME` and flushed; the tarball gets its name last, so what has no
 * tarball is no archive. The name of a snapshot has a fixed form, so what stands before it is the host, hyphens or not.
 */
import { open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { archiveFormats, type ArchiveFormat, type ArchiveRecord } from '../core/archive.js';
import { hostNamePattern } from '../core/host.js';
import {
  noTransfer,
  parseSnapshotName,
  reviveSnapshot,
  type AsJson,
  type SnapshotRecord,
} from '../core/snapshot.js';

export const partialArchivePrefix = '.partial-';

export interface ArchiveName {
  readonly host: string;
  readonly snapshot: string;
}

export interface ArchiveFiles {
  readonly tarball: string;
  readonly json: string;
  readonly manifest: string;
}

/** Where the files of an archive are, or will be. */
export function archiveFiles(
  archivedir: string,
  { host, snapshot }: ArchiveName,
  format: ArchiveFormat,
): ArchiveFiles {
  return besideTarball(join(archivedir, `${host}-${snapshot}.${format}`));
}

/** The files of the archive that this tarball is. */
export function besideTarball(tarball: string): ArchiveFiles {
  const stem = join(dirname(tarball), basename(tarball).replace(/\.tar\.(gz|zst)$/, ''));
  return { tarball, json: `${stem}.json`, manifest: `${stem}.manifest.gz` };
}

/** The name that a file has until it is whole. */
export function partialOf(file: string): string {
  return join(dirname(file), `${partialArchivePrefix}${basename(file)}`);
}

/** What a tarball of this name would be; null when it is not called like one. */
export function parseArchiveName(fileName: string): (ArchiveName & { format: ArchiveFormat }) | null {
  const format = archiveFormats.find((known) => fileName.endsWith(`.${known}`));
  if (!format) return null;
  return nameOf(fileName.slice(0, -format.length - 1), format);
}

/** The archive that a file of an archive directory belongs to, whole or not; null when it is something else. */
export function ownerOfFile(fileName: string): ArchiveName | null {
  const plain = fileName.startsWith(partialArchivePrefix)
    ? fileName.slice(partialArchivePrefix.length)
    : fileName;
  const stem = plain.replace(/\.(tar\.gz|tar\.zst|json|manifest\.gz)$/, '');
  const name = stem === plain ? null : nameOf(stem, 'tar.gz');
  return name && { host: name.host, snapshot: name.snapshot };
}

const snapshotNameLength = '2026-11-22_20-00-05f'.length;

function nameOf(stem: string, format: ArchiveFormat): (ArchiveName & { format: ArchiveFormat }) | null {
  const snapshot = stem.slice(-snapshotNameLength);
  const host = stem.slice(0, -snapshotNameLength - 1);
  const isName = parseSnapshotName(snapshot) !== null && hostNamePattern.test(host);
  return isName && stem.at(-snapshotNameLength - 1) === '-' ? { host, snapshot, format } : null;
}

/** Writes what an archive is, flushed and in one step. Throws what the file system says. */
export async function writeArchiveJson(file: string, archive: ArchiveRecord): Promise<void> {
  const { path: _, copyPath, ...rest } = archive;
  const json = { version: 1, ...rest, ...(copyPath !== '' && { copyPath }) };
  const partial = partialOf(file);
  const handle = await open(partial, 'w', 0o640);
  try {
    await handle.writeFile(`${JSON.stringify(json, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
}

/** One archive as its directory tells it, in whichever format it is; null when there is none. Never throws. */
export async function readArchive(archivedir: string, name: ArchiveName): Promise<ArchiveRecord | null> {
  for (const format of archiveFormats) {
    const found = await readTarball(archiveFiles(archivedir, name, format).tarball);
    if (found) return found;
  }
  return null;
}

/**
 * All archives of a directory, or those of one host; newest first by name, then by host. Throws what the file system
 * says.
 */
export async function listArchives(archivedir: string, host?: string): Promise<ArchiveRecord[]> {
  const names = (await readdir(archivedir)).filter((name) => {
    const parsed = parseArchiveName(name);
    return parsed !== null && (host === undefined || parsed.host === host);
  });
  const found = await Promise.all(names.map((name) => readTarball(join(archivedir, name))));
  return found
    .filter((archive) => archive !== null)
    .sort((a, b) => (a.name === b.name ? (a.host < b.host ? -1 : 1) : a.name < b.name ? 1 : -1));
}

/** What lies at `tarball` as the archive of this name; null when there is no file. Never throws. */
export async function readTarball(
  tarball: string,
  name = parseArchiveName(basename(tarball)),
): Promise<ArchiveRecord | null> {
  const stats = await stat(tarball).catch(() => null);
  if (!name || !stats?.isFile()) return null;
  const text = await readFile(besideTarball(tarball).json, 'utf8').catch(() => null);
  const told = text === null ? null : parseJson(text);
  // What the name says is true also where a host was renamed by hand.
  if (told) return { ...told, host: name.host, name: name.snapshot, format: name.format, path: tarball };
  return adopted(tarball, name, stats);
}

type Json = Omit<AsJson<ArchiveRecord>, 'snapshot' | 'path'> & { readonly snapshot: AsJson<SnapshotRecord> };

function parseJson(text: string): Omit<ArchiveRecord, 'path'> | null {
  try {
    const { version: _, ...json } = JSON.parse(text) as Json & { version: number };
    return {
      ...json,
      archivedAt: new Date(json.archivedAt ?? 0),
      verifiedAt: dateOrNull(json.verifiedAt),
      copyPath: json.copyPath ?? '',
      snapshot: reviveSnapshot(json.snapshot),
    };
  } catch {
    return null;
  }
}

function dateOrNull(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

/** What the original BUSY made has nothing beside it. */
function adopted(
  path: string,
  { host, snapshot: name, format }: ArchiveName & { format: ArchiveFormat },
  { size, mtime }: { readonly size: number; readonly mtime: Date },
): ArchiveRecord {
  const { type, startedAt } = parseSnapshotName(name) ?? { type: 'full', startedAt: mtime };
  const snapshot: SnapshotRecord = {
    host,
    name,
    type,
    outcome: 'PARTIAL',
    path: '',
    startedAt,
    committedAt: startedAt,
    runId: '',
    linkBases: [],
    sources: [],
    stats: noTransfer,
    missingFileCount: 0,
    heldFor: [],
    manifest: null,
    verifiedAt: null,
    damagedFileCount: 0,
  };
  return {
    host,
    name,
    format,
    path,
    bytes: size,
    sha256: '',
    archivedAt: mtime,
    runId: '',
    snapshot,
    manifestRoot: 'snapshot',
    manifest: null,
    verifiedAt: null,
    damage: '',
    copyPath: '',
  };
}
