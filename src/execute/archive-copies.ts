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
  /** Where the tarball of the copy may be. */
  readonly places: readonly string[];
}

const prefix = '.left-copy-';

/** Removes a copy from all `places` where it may be. Answers what stood against it, or null. Never throws. */
export async function removeCopy(
  { host, name, runId, path, copyPath }: ArchiveRecord,
  places: readonly string[],
): Promise<string | null> {
  if (copyPath === '') return null;
  const left: LeftCopy = { host, runId, places };
  const note = join(dirname(path), `${prefix}${host}-${name}-${runId}.json`);
  try {
    await removeAll(left);
    return null;
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
export async function removeLeftCopies(archivedir: string, host: string): Promise<void> {
  const names = await readdir(archivedir).catch(() => [] as string[]);
  for (const name of names.filter((one) => one.startsWith(`${prefix}${host}-`))) {
    const note = join(archivedir, name);
    const left = await readNote(note);
    if (left?.host !== host) continue;
    await removeAll(left)
      .then(() => rm(note, { force: true }))
      .catch(() => {});
  }
}

/** Throws when a disk is away. */
async function removeAll({ places, runId }: LeftCopy): Promise<void> {
  // Before anything is removed, which may leave one empty.
  for (const directory of new Set(places.map((place) => dirname(place)))) {
    const names = await readdir(directory);
    if (names.length === 0) throw new Error(`${directory} is empty, as if its disk were not mounted`);
  }
  for (const place of places) await removeOne(place, runId);
}

/** The tarball first, so that nothing is left that looks like an archive. */
async function removeOne(tarball: string, runId: string): Promise<void> {
  const found = await readTarball(tarball, parseArchiveName(basename(tarball).replace(trashed, '')));
  if (found && found.runId !== runId) return;
  await rm(tarball, { force: true });
  await flushDirectory(dirname(tarball));
  const { json, manifest } = besideTarball(tarball);
  for (const file of [json, manifest]) await rm(file, { force: true });
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
