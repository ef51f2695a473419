/** Copies of archives: how they are made, and how they go. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ArchiveRecord } from '../../src/core/archive.js';
import { copyArchive, type CopyHooks } from '../../src/execute/archive-copy.js';
import { removeCopy, removeLeftCopies } from '../../src/execute/archive-copies.js';
import { besideTarball, writeArchiveJson } from '../../src/execute/archive-files.js';
import { sampleArchive } from './sample-archive.js';

let directory: string;
let archives: string;
let copies: string;
let archive: ArchiveRecord;
const content = Buffer.alloc(3_000_000, 'content');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-copies-'));
  archives = join(directory, 'archives');
  copies = join(directory, 'copies');
  for (const place of [archives, copies]) await mkdir(place);
  const path = join(archives, 'web1-2026-11-22_20-00-05f.tar.gz');
  const sha256 = createHash('sha256').update(content).digest('hex');
  archive = { ...sampleArchive(path), host: 'web1', sha256, bytes: content.length };
  await writeFile(path, content);
  await writeFile(besideTarball(path).manifest, 'manifest');
  await writeArchiveJson(besideTarball(path).json, archive);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function hooks(onBytes: CopyHooks['onBytes'] = () => {}): CopyHooks & { abort: () => void } {
  const stop = new AbortController();
  return { signal: stop.signal, onBytes, abort: () => stop.abort() };
}

describe('a copy', () => {
  it('is of all files, with progress in both directions, and is left when it is whole', async () => {
    let bytes = 0;
    const copyPath = await copyArchive(
      archive,
      copies,
      hooks((more) => (bytes += more)),
    );
    expect(copyPath).toBe(join(copies, 'web1-2026-11-22_20-00-05f.tar.gz'));
    expect((await readFile(copyPath)).equals(content)).toBe(true);
    expect((await readdir(copies)).sort()).toEqual((await readdir(archives)).sort());
    expect(bytes).toBeGreaterThan(2 * content.length);
    bytes = 0;
    await copyArchive(
      archive,
      copies,
      hooks((more) => (bytes += more)),
    );
    expect(bytes).toBe(content.length);
  });

  it('that is cancelled in its middle, or is not what was archived, leaves nothing', async () => {
    const stop = hooks((_, file) => {
      if (file.endsWith('.tar.gz')) stop.abort();
    });
    await expect(copyArchive(archive, copies, stop)).rejects.toMatchObject({ reason: 'CANCELLED' });
    expect(await readdir(copies)).toEqual([]);
    await writeFile(archive.path, 'something else');
    await expect(copyArchive(archive, copies, hooks())).rejects.toMatchObject({
      reason: 'ARCHIVE_COPY_FAILED',
    });
    expect(await readdir(copies)).toEqual([]);
  });

  it('made before stays whole, with what lies beside it, when the new one fails', async () => {
    const copyPath = await copyArchive(archive, copies, hooks());
    const files = Object.values(besideTarball(copyPath));
    const hashes = (): Promise<string[]> =>
      Promise.all(
        files.map(async (file) =>
          createHash('sha256')
            .update(await readFile(file))
            .digest('hex'),
        ),
      );
    const before = await hashes();
    const anew = { ...archive, runId: 'another', sha256: 'not what is there' };
    await writeArchiveJson(besideTarball(archive.path).json, anew);
    await writeFile(besideTarball(archive.path).manifest, 'another manifest');
    await expect(copyArchive(anew, copies, hooks())).rejects.toMatchObject({ reason: 'ARCHIVE_COPY_FAILED' });
    expect(await hashes()).toEqual(before);
    expect(await readdir(copies)).toHaveLength(3);
  });
});

async function copied(): Promise<ArchiveRecord> {
  return { ...archive, copyPath: await copyArchive(archive, copies, hooks()) };
}

async function notes(): Promise<string[]> {
  return (await readdir(archives)).filter((name) => name.startsWith('.left-copy-'));
}

describe('a copy of an archive that goes', () => {
  it('goes too', async () => {
    const gone = await copied();
    const inTrash = join(copies, `.trash-01ARZ3NDEKTSV4RRFFQ69G5FAV-${basename(gone.copyPath)}`);
    await copyFile(gone.copyPath, inTrash);
    await copyFile(besideTarball(gone.copyPath).json, besideTarball(inTrash).json);
    expect(await removeCopy(gone, [inTrash, gone.copyPath])).toBeNull();
    expect(await readdir(copies)).toEqual([]);
    expect(await notes()).toEqual([]);
  });

  it.each(['is not there', 'is an empty directory'])('goes later when its disk %s', async (how) => {
    const gone = await copied();
    await rename(copies, `${copies} away`);
    if (how === 'is an empty directory') await mkdir(copies);
    expect(await removeCopy(gone, [gone.copyPath])).toContain('it is removed when its disk is back');
    await removeLeftCopies(archives, 'web1');
    expect(await notes()).toHaveLength(1);
    await rm(copies, { recursive: true, force: true });
    await rename(`${copies} away`, copies);
    await removeLeftCopies(archives, 'web');
    expect(await readdir(copies)).toHaveLength(3);
    await removeLeftCopies(archives, 'web1');
    expect(await readdir(copies)).toEqual([]);
    expect(await notes()).toEqual([]);
  });

  it('stays when it is by now that of an archive that another run made', async () => {
    const gone = await copied();
    await writeArchiveJson(besideTarball(gone.copyPath).json, { ...gone, runId: 'another' });
    expect(await removeCopy(gone, [gone.copyPath])).toBeNull();
    expect(await readdir(copies)).toHaveLength(3);
  });

  it('goes although what lay beside it is lost; one that is not as large stays, and that is told', async () => {
    const gone = await copied();
    await rm(besideTarball(gone.copyPath).json);
    await writeFile(gone.copyPath, 'of the same name');
    expect(await removeCopy(gone, [gone.copyPath])).toContain(`${gone.copyPath} stays`);
    expect(await readdir(copies)).toHaveLength(2);
    await writeFile(gone.copyPath, content);
    expect(await removeCopy(gone, [gone.copyPath])).toBeNull();
    expect(await readdir(copies)).toEqual([]);
  });
});
