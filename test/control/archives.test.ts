/** What runs of archives and the trash of archives do to each other. */
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { soleDaemon } from '../../src/control/host-claims.js';
import { TrashedArchives } from '../../src/control/trashed-archives.js';
import { nothingArchived, type ArchiveRecord } from '../../src/core/archive.js';
import type { ArchiveResult } from '../../src/core/archive-ports.js';
import { ArchiveDisks } from '../../src/execute/archive-disks.js';
import { besideTarball, writeArchiveJson } from '../../src/execute/archive-files.js';
import { createArchiveTrash } from '../../src/execute/archive-trash.js';
import { sampleArchive } from '../execute/sample-archive.js';
import { ControlBed } from '../helpers/control-bed.js';
import { sampleHost } from '../helpers/sample-host.js';

let bed: ControlBed;
let archivedir: string;
let archive: ArchiveRecord;
let trash: TrashedArchives;

beforeEach(async () => {
  bed = await ControlBed.open();
  archivedir = await mkdtemp(join(tmpdir(), 'busy-archives-'));
  bed.parts.catalog.replaceHosts([sampleHost({ archivedir })]);
  archive = { ...sampleArchive(join(archivedir, 'web1-2026-11-22_20-00-05f.tar.gz')), host: 'web1' };
  const { tarball, json, manifest } = besideTarball(archive.path);
  for (const file of [tarball, manifest]) await writeFile(file, 'content');
  await writeArchiveJson(json, archive);
  await bed.parts.archiving.archives.put(archive);
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const archiveTrash = createArchiveTrash(new ArchiveDisks());
  trash = new TrashedArchives({
    ...bed.parts,
    lifecycle: bed.lifecycle,
    hold: soleDaemon,
    archiveTrash,
    log,
  });
});
afterEach(async () => {
  await bed.close();
  await rm(archivedir, { recursive: true, force: true });
});

const recorded = (): Promise<ArchiveRecord | null> => bed.parts.archiving.archives.get('web1', archive.name);

/** A verification that ends when the test says so. */
async function verify(): Promise<(found: Partial<ArchiveRecord>) => Promise<void>> {
  const steps = new EventEmitter();
  const result = once(steps, 'end').then(([ended]) => ended as ArchiveResult);
  const begun = new Promise<void>((resolve) => {
    bed.parts.executor.onVerifyArchives = () => {
      resolve();
      return result;
    };
  });
  const asked = { kind: 'verify-archive', host: 'web1', snapshot: null, requestId: null } as const;
  const { id } = await bed.lifecycle.trigger(asked);
  await begun;
  return async (found) => {
    steps.emit('end', { archives: [{ ...archive, ...found }], done: nothingArchived, error: null });
    await bed.ended(id);
  };
}

it('what a verification found is recorded', async () => {
  const end = await verify();
  await end({ damage: 'it is cut off' });
  expect(await recorded()).toMatchObject({ damage: 'it is cut off', copyPath: '' });
});

it('a verification brings no archive back that was deleted while it ran', async () => {
  const end = await verify();
  await trash.delete('web1', archive.name, 'ann');
  await end({ damage: 'it is cut off' });
  expect(await recorded()).toBeNull();
});

it('nor does it tell of one that was made anew meanwhile, or forget what else is known', async () => {
  const end = await verify();
  await bed.parts.archiving.archives.put({ ...archive, runId: 'another' });
  await end({ damage: 'it is cut off' });
  expect(await recorded()).toMatchObject({ runId: 'another', damage: '' });
  await bed.parts.archiving.archives.put({ ...archive, copyPath: '/copies/one' });
  const again = await verify();
  await again({ damage: 'it is cut off' });
  expect(await recorded()).toMatchObject({ damage: 'it is cut off', copyPath: '/copies/one' });
});

it('no archive comes back from the trash while a run works on those of its host', async () => {
  const before = (await readdir(archivedir)).sort();
  const end = await verify();
  const { entry } = await trash.delete('web1', archive.name, 'ann');
  if (!entry) throw new Error('it was there');
  await expect(trash.restore(entry)).rejects.toMatchObject({ reason: 'TRASH_HOST_ARCHIVES' });
  await end({});
  await trash.restore(entry);
  expect((await readdir(archivedir)).sort()).toEqual(before);
  expect(await recorded()).toMatchObject({ runId: archive.runId });
});
