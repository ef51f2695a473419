import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  archiveFiles,
  listArchives,
  ownerOfFile,
  parseArchiveName,
  partialOf,
  readArchive,
  writeArchiveJson,
} from '../../src/execute/archive-files.js';
import { sampleArchive } from './sample-archive.js';

let directory = '';
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'busy-archives-'))));
afterEach(() => rm(directory, { recursive: true }));

const name = '2026-11-22_20-00-05f';

describe('names', () => {
  it.each([
    [`web1-${name}.tar.gz`, { host: 'web1', snapshot: name, format: 'tar.gz' }],
    [`a-b-${name}.tar.zst`, { host: 'a-b', snapshot: name, format: 'tar.zst' }],
    [`${name}.tar.gz`, null],
    [`web1-${name}.tar`, null],
    [`web1_${name}.tar.gz`, null],
    [`.partial-web1-${name}.tar.gz`, null],
    ['web1-2026-11-22.tar.gz', null],
  ])('%s', (file, parsed) => {
    expect(parseArchiveName(file)).toEqual(parsed);
  });

  it('tell whose a file is that is not whole, or lies beside', () => {
    const owner = { host: 'web-1', snapshot: name };
    const { tarball, json, manifest } = archiveFiles('/a', owner, 'tar.zst');
    for (const file of [tarball, json, manifest, partialOf(tarball), partialOf(json)])
      expect(ownerOfFile(file.split('/').at(-1) ?? '')).toEqual(owner);
    expect(ownerOfFile('notes.json')).toBeNull();
  });
});

describe('an archive on the disk', () => {
  it('is told by what lies beside its tarball', async () => {
    const files = archiveFiles(directory, { host: 'web-1', snapshot: name }, 'tar.gz');
    const archive = sampleArchive(files.tarball);
    await writeArchiveJson(files.json, archive);
    expect(await listArchives(directory)).toEqual([]);
    await writeFile(files.tarball, 'abc');
    expect(await listArchives(directory)).toEqual([archive]);
    expect(await listArchives(directory, 'web')).toEqual([]);
    expect(await readArchive(directory, { host: 'web-1', snapshot: name })).toEqual(archive);
  });

  it('of the original BUSY has nothing beside it', async () => {
    await writeFile(join(directory, `web1-${name}.tar.gz`), 'abc');
    const [found] = await listArchives(directory, 'web1');
    expect(found).toMatchObject({ host: 'web1', name, bytes: 3, sha256: '', manifest: null });
  });
});
