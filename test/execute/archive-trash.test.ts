/** The trash of archives on a disk that hangs: whoever asks hears of it, and nothing is moved. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ArchiveRecord } from '../../src/core/archive.js';
import { ArchiveDisks } from '../../src/execute/archive-disks.js';
import { besideTarball, writeArchiveJson } from '../../src/execute/archive-files.js';
import { createArchiveTrash } from '../../src/execute/archive-trash.js';
import { sampleArchive } from './sample-archive.js';

let archivedir: string;
let copies: string;
let archive: ArchiveRecord;
let hanging = '';

const disks = new ArchiveDisks(
  (directory) => (directory === hanging ? new Promise<never>(() => {}) : readdir(directory)),
  { answerMs: 20, lookMs: 60_000 },
);
const trash = createArchiveTrash(disks);
const mark = { id: '01ARZ3NDEKTSV4RRFFQ69G5FAV', putBy: 'ann', putAt: new Date(1_795_000_000_000) };

beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'busy-archive-trash-'));
  archivedir = join(directory, 'archives');
  copies = join(directory, 'copies');
  const file = 'web-1-2026-11-22_20-00-05f.tar.gz';
  archive = { ...sampleArchive(join(archivedir, file)), copyPath: join(copies, file) };
  for (const path of [archive.path, archive.copyPath]) {
    await mkdir(dirname(path));
    await writeFile(path, 'abc');
    await writeArchiveJson(besideTarball(path).json, archive);
  }
});
afterEach(() => rm(dirname(archivedir), { recursive: true, force: true }));

it('every question ends, and nothing has been moved', async () => {
  const entry = trash.entryOf(archive, mark);
  const before = await readdir(archivedir);
  hanging = archivedir;
  for (const asked of [
    () => trash.moveIn(archive, entry),
    () => trash.read(entry),
    () => trash.moveOut(entry, archive),
    () => trash.destroy(entry, archive),
    () => trash.isTaken(archive.path),
    () => trash.tidy(archivedir, archive.host),
  ])
    await expect(asked(), asked.toString()).rejects.toMatchObject({ reason: 'ARCHIVEDIR_UNUSABLE' });
  expect(await readdir(archivedir)).toEqual(before);
});

it('a copy on a disk that hangs keeps nobody waiting, and goes later', async () => {
  const entry = trash.entryOf(archive, mark);
  hanging = copies;
  expect(await trash.moveIn(archive, entry)).toMatchObject({
    wasThere: true,
    left: expect.stringContaining('could not be reached') as string,
  });
  expect(await trash.destroy(entry, archive)).toMatchObject({
    wasThere: true,
    left: expect.stringContaining('it is removed when its disk is back') as string,
  });
  await trash.tidy(archivedir, archive.host);
  expect(await readdir(archivedir)).toHaveLength(1);
  expect(await readdir(copies)).toHaveLength(2);
});
