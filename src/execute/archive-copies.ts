/**
 * A copy in the second place goes with its archive. Where its disk is away just then, a note beside the archives,
 * `.left-copy-HOST-SNAPSHOT-RUN.json`, says what has to go when it is back.
 */
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ArchiveRecord } from '../core/archive.js';
import { besideTarball, parseArchiveName, readTarball } from './archive-files.js';
import { flushDirectory } from './snapshot-dir.js';

interface LeftCopy {
  readonly host: string;
  /** The run that made the archive: one of another run is another archive. */
  readonly runId: string;
  /** Of the tarball; where what lies beside a copy was lost, it tells whether that is one of this archive. */
  readonly bytes?: number;
  /** Where the tarball of the copy may be. */
  readonly places: readonly string[];
}

const prefix = '.left-copy-';

/** The names in a directory; one whose disk may hang had better be asked with patience that ends. */
export type AsksDirectory = (directory: string) => Promise<readonly string[]>;

/** Removes a copy from all `places` where it may be. Answers what stood against it, or null. Never throws. */
export async function removeCopy(
  { host, name, runId, bytes, path, copyPath }: ArchiveRecord,
  places: readonly string[],
  ask: AsksDirectory = readdir,
): Promise<string | null> {
  if (copyPath === '') return null;
  const left: LeftCopy = { host, runId, bytes, places };
  const note = join(dirname(path), `${prefix}${host}-${name}-${runId}.json`);
  try {
    const unknown = await removeAll(left, ask);
    return unknown.length === 0
      ? null
      : `${unknown.join(', ')} stays: what lay beside it is lost, and it is not as large as the archive was; remove it by hand`;
  } catch (error) {
    const isNoted = await writeNote(note, left).then(
      () => true,
      () => false,
    );
    const then = isNoted ? 'it is removed when its disk is back' : 'remove it by hand when its disk is back';
    return `its copy ${copyPath} could not be reached: ${(error as Error).message}; ${then}`;
  }
}

/** Removes what could not be removed before, of one host. Never throws: what is still away stays noted. */
export async function removeLeftCopies(
  archivedir: string,
  host: string,
  ask: AsksDirectory = readdir,
): Promise<void> {
  const names = await readdir(archivedir).catch(() => [] as string[]);
  for (const name of names.filter((one) => one.startsWith(`${prefix}${host}-`))) {
    const note = join(archivedir, name);
    const left = await readNote(note);
    if (left?.host !== host) continue;
    await removeAll(left, ask)
      .then(() => rm(note, { force: true }))
      .catch(() => {});
  }
}

/** Answers those that may be something else. Throws when a disk is away. */
async function removeAll(left: LeftCopy, ask: AsksDirectory): Promise<readonly string[]> {
  const { places } = left;
  // Before anything is removed, which may leave one empty.
  for (const directory of new Set(places.map((place) => dirname(place)))) {
    const names = await ask(directory);
    if (names.length === 0) throw new Error(`${directory} is empty, as if its disk were not mounted`);
  }
  const unknown: string[] = [];
  for (const place of places) if (!(await removeOne(place, left))) unknown.push(place);
  return unknown;
}

/** The tarball first, so that nothing is left that looks like an archive. Answers false when nobody knows what it is. */
async function removeOne(tarball: string, { runId, bytes }: LeftCopy): Promise<boolean> {
  const found = await readTarball(tarball, parseArchiveName(basename(tarball).replace(trashed, '')));
  if (found && found.runId !== runId) {
    if (found.runId !== '') return true;
    if (found.bytes !== bytes) return false;
  }
  await rm(tarball, { force: true });
  await flushDirectory(dirname(tarball));
  const { json, manifest } = besideTarball(tarball);
  for (const file of [json, manifest]) await rm(file, { force: true });
  return true;
}

/** What the trash puts before the name of an archive. */
const trashed = /^\.trash-[0-9A-Z]{26}-/;

async function writeNote(note: string, left: LeftCopy): Promise<void> {
  const file = await open(note, 'w', 0o640);
  try {
    await file.writeFile(`${JSON.stringify({ version: 1, ...left })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await flushDirectory(dirname(note));
}

async function readNote(note: string): Promise<LeftCopy | null> {
  try {
    return JSON.parse(await readFile(note, 'utf8')) as LeftCopy;
  } catch {
    return null;
  }
}
