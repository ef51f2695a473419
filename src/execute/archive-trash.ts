/**
 * Archives in the trash: they lie in their archive directory under hidden names, `.trash-ID-HOST-SNAPSHOT.tar.gz`, with
 * all that was beside them, and `.trash-ID-HOST-SNAPSHOT.by.json`, which says who put them there. The files beside a
 * tarball are linked to their new names, then the tarball is renamed, then the old names go: so at any moment a whole
 * archive is in one of the two places, and what a crash leaves beside is removed by the next look.
 */
import { copyFile, link, lstat, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { decodeTime } from 'ulid';
import type { ArchiveRecord } from '../core/archive.js';
import type { ArchiveMove, ArchiveTrash } from '../core/archive-ports.js';
import { BusyError } from '../core/errors.js';
import type { TrashEntry } from '../core/trash.js';
import { removeCopy, removeLeftCopies, type AsksDirectory } from './archive-copies.js';
import { onArchiveDisk } from './archive-disk.js';
import type { ArchiveDisks } from './archive-disks.js';
import { besideTarball, ownerOfFile, parseArchiveName, readTarball } from './archive-files.js';
import { flushDirectory, flushFile } from './snapshot-dir.js';

/** `disks` answer in time, or refuse: so that one that hangs keeps nobody waiting who holds the archives of a host. */
export const createArchiveTrash = (disks: ArchiveDisks): ArchiveTrash => ({
  list: (archivedir) =>
    disks.look(archivedir, async () => {
      const names = await readdir(archivedir).catch(() => [] as string[]);
      const found = await Promise.all(names.map((name) => describe(join(archivedir, name))));
      return found.filter((entry) => entry !== null);
    }),
  entryOf: ({ host, name, path }, mark) => ({
    ...mark,
    kind: 'archive',
    host,
    snapshot: name,
    path: join(dirname(path), `.trash-${mark.id}-${basename(path)}`),
  }),
  moveIn: (archive, entry) =>
    change(disks, entry, async () => {
      // Only a help for people: a full disk must not keep anything from being deleted.
      await writeFile(noteOf(entry.path), `${JSON.stringify({ version: 1, putBy: entry.putBy })}\n`).catch(
        () => {},
      );
      const wasThere = await move(archive.path, entry.path);
      if (!wasThere) await remove(entry.path);
      return { wasThere, left: await withCopy(disks, archive, entry, move) };
    }),
  read: async ({ path }) => {
    const place = placeOf(path);
    if (place === null) return null;
    await answered(disks, dirname(path));
    const found = await readTarball(path, parseArchiveName(basename(place)));
    return found && { ...found, path: place };
  },
  moveOut: (entry, archive) =>
    change(disks, entry, async () => {
      await refuseTaken(archive.path);
      const wasThere = await move(entry.path, archive.path);
      await rm(noteOf(entry.path), { force: true });
      const left = await withCopy(disks, archive, entry, (copy, inTrash) => move(inTrash, copy));
      return { wasThere, left };
    }),
  destroy: (entry, archive) =>
    change(disks, entry, async () => {
      const wasThere = await isThere(entry.path);
      await remove(entry.path);
      const inTrash = join(dirname(archive.copyPath), basename(entry.path));
      return { wasThere, left: await removeCopy(archive, [inTrash, archive.copyPath], namesOn(disks)) };
    }),
  isTaken: async (place) => {
    await answered(disks, dirname(place));
    return isThere(place);
  },
  tidy: async (archivedir, host) => {
    await answered(disks, archivedir);
    const names = await readdir(archivedir).catch(() => [] as string[]);
    const stems = new Set(names.filter((name) => placeOf(name) !== null).map(stemOf));
    for (const name of names) {
      const [, file = ''] = namePattern.exec(name) ?? [];
      if (ownerOfFile(file.replace(/\.by\.json$/, '.json'))?.host !== host || stems.has(stemOf(name)))
        continue;
      await rm(join(archivedir, name), { force: true });
    }
    await removeLeftCopies(archivedir, host, namesOn(disks));
  },
});

const namePattern = /^\.trash-[0-7][0-9A-HJKMNP-TV-Z]{25}-(.+)$/;

/** Where a tarball in the trash came from; null for any other file. */
function placeOf(path: string): string | null {
  const [, name = ''] = namePattern.exec(basename(path)) ?? [];
  return parseArchiveName(name) === null ? null : join(dirname(path), name);
}

function stemOf(name: string): string {
  return name.replace(/\.(tar\.gz|tar\.zst|by\.json|json|manifest\.gz)$/, '');
}

function noteOf(tarball: string): string {
  return besideTarball(tarball).json.replace(/\.json$/, '.by.json');
}

async function describe(path: string): Promise<TrashEntry | null> {
  const place = placeOf(path);
  const name = place === null ? null : parseArchiveName(basename(place));
  if (!name) return null;
  const { host, snapshot } = name;
  const id = basename(path).slice('.trash-'.length).slice(0, 26);
  const putBy = await readFile(noteOf(path), 'utf8').then(noted, () => '');
  return { id, kind: 'archive', host, snapshot, path, putBy, putAt: new Date(decodeTime(id)) };
}

function noted(text: string): string {
  try {
    const { putBy } = JSON.parse(text) as { readonly putBy?: unknown };
    return typeof putBy === 'string' ? putBy : '';
  } catch {
    return '';
  }
}

/** Throws ARCHIVEDIR_UNUSABLE when the disk does not answer. */
function answered(disks: ArchiveDisks, archivedir: string): Promise<void> {
  return disks.look(archivedir, async () => {});
}

const namesOn =
  (disks: ArchiveDisks): AsksDirectory =>
  (directory) =>
    disks.look(directory, () => readdir(directory));

async function change(
  disks: ArchiveDisks,
  entry: TrashEntry,
  work: () => Promise<ArchiveMove>,
): Promise<ArchiveMove> {
  const archivedir = dirname(entry.path);
  await answered(disks, archivedir);
  return onArchiveDisk(archivedir, async () => {
    // A missing tarball is what was wanted; a missing directory is a disk that is not mounted.
    await readdir(archivedir);
    return work();
  });
}

/** Does to the copy what was done to the archive. Answers what stood against it, or null. */
async function withCopy(
  disks: ArchiveDisks,
  { copyPath }: ArchiveRecord,
  entry: TrashEntry,
  work: (copy: string, inTrash: string) => Promise<unknown>,
): Promise<string | null> {
  if (copyPath === '') return null;
  try {
    await namesOn(disks)(dirname(copyPath));
    await work(copyPath, join(dirname(copyPath), basename(entry.path)));
    return null;
  } catch (error) {
    return `its copy ${copyPath} could not be reached: ${(error as Error).message}`;
  }
}

/** Answers whether there was a tarball. */
async function move(from: string, to: string): Promise<boolean> {
  const [old, next] = [besideTarball(from), besideTarball(to)];
  if (await isThere(from)) {
    await double(old.json, next.json);
    await double(old.manifest, next.manifest);
    await rename(from, to);
    // A run that archives the host may have taken them for left over while there was no tarball beside them.
    if (!(await isThere(next.json))) await double(old.json, next.json);
    if (!(await isThere(next.manifest))) await double(old.manifest, next.manifest);
    await flushDirectory(dirname(to));
  } else if (!(await isThere(to))) {
    return false;
  }
  for (const file of [old.json, old.manifest]) await rm(file, { force: true });
  return true;
}

/** A second name; a second file where the file system has no hard links. */
async function double(from: string, to: string): Promise<void> {
  if (!(await isThere(from))) return;
  await rm(to, { force: true });
  await link(from, to).catch(async () => {
    await copyFile(from, to);
    await flushFile(to);
  });
}

/** The tarball first. */
async function remove(tarball: string): Promise<void> {
  await rm(tarball, { force: true });
  await flushDirectory(dirname(tarball));
  const { json, manifest } = besideTarball(tarball);
  for (const file of [json, manifest, noteOf(tarball)]) await rm(file, { force: true });
}

/** A file of that name would be replaced without a word. */
async function refuseTaken(place: string): Promise<void> {
  if (await isThere(place)) throw new BusyError('TRASH_PLACE_TAKEN', { place });
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
