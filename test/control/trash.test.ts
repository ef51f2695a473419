/** The trash over real directories, with a clock that the test moves. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Audit } from '../../src/control/audit.js';
import { soleDaemon } from '../../src/control/host-claims.js';
import { Pruner } from '../../src/control/pruner.js';
import { Trash } from '../../src/control/trash.js';
import { TrashedSnapshots, type Deletion } from '../../src/control/trashed-snapshots.js';
import type { BusyError } from '../../src/core/errors.js';
import type { Host } from '../../src/core/host.js';
import type { SnapshotRecord } from '../../src/core/snapshot.js';
import { createSnapshotDisk } from '../../src/execute/snapshot-removal.js';
import { writeSnapshotJson } from '../../src/execute/snapshot-json.js';
import { createTrashDisk } from '../../src/execute/trash-dir.js';
import { ControlBed } from '../helpers/control-bed.js';
import { sampleHost } from '../helpers/sample-host.js';
import { until } from '../helpers/test-bed.js';
import { sampleSnapshot } from '../rpc/samples.js';

const [oldest, older, newest] = ['2026-11-01_20-00-05f', '2026-11-02_20-00-05i', '2026-11-03_20-00-05i'];
const all = [oldest, older, newest] as const;
const day = 86_400_000;
const byAnn: Deletion = { by: 'ann', isAdmin: false, confirm: '' };
const snapshotDisk = createSnapshotDisk(process.pid);
const trashDisk = createTrashDisk(process.pid);

let bed: ControlBed;
let backupdir: string;
let snapshots: TrashedSnapshots;
let trash: Trash;
let pruner: Pruner;
let trashDays: number;
let logged: string[];
let audited: string[];
const audit: Pick<Audit, 'note'> = { note: () => Promise.resolve() };

beforeEach(async () => {
  bed = await ControlBed.open();
  backupdir = await mkdtemp(join(tmpdir(), 'busy-trash-'));
  bed.parts.catalog.replaceHosts([host()]);
  for (const name of all) await bed.parts.catalog.record(await makeSnapshot(name));
  logged = [];
  trashDays = 7;
  const note = (message: string, fields: object): void =>
    void logged.push(`${message} ${JSON.stringify(fields)}`);
  const log = { info: note, warn: note, error: note };
  audited = [];
  audit.note = async (what, _, { snapshot }) => void audited.push(`${what} ${snapshot}`);
  const parts = { ...bed.parts, lifecycle: bed.lifecycle, snapshotDisk, audit, log };
  pruner = new Pruner({ ...parts, disk: snapshotDisk });
  snapshots = new TrashedSnapshots({ ...parts, hold: soleDaemon, disk: trashDisk, pruner });
  trash = new Trash({ ...parts, bins: [snapshots], trashDays: () => trashDays });
});
afterEach(async () => {
  const never = new AbortController().signal;
  await trash.stop(never);
  await pruner.stop(never);
  await bed.close();
  await rm(backupdir, { recursive: true, force: true });
});

function host(changes: Partial<Host> = {}): Host {
  return sampleHost({ backupdir, ...changes });
}

async function makeSnapshot(name: string): Promise<SnapshotRecord> {
  const path = join(backupdir, 'web1', name);
  const snapshot = { ...sampleSnapshot('web1', name), path };
  await mkdir(join(path, 'data'), { recursive: true });
  await writeFile(join(path, 'data/file'), name);
  const facts = { initiator: 'server', address: '', rsyncOnServer: '', rsyncOnHost: '' } as const;
  await writeSnapshotJson(path, { ...facts, snapshot, jobs: [], missingFiles: [] });
  return snapshot;
}

const listed = (): string[] => bed.parts.catalog.snapshots('web1').map(({ name }) => name);
const onDisk = async (): Promise<string[]> => (await readdir(join(backupdir, 'web1'))).sort();
const inTrash = async (): Promise<string[]> => (await trash.list()).map(({ snapshot }) => snapshot);

async function reasonOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: BusyError) => error.reason,
  );
}

describe('deleting a snapshot', () => {
  test('moves it to the trash, which says who did it, when, and when it goes', async () => {
    const entry = await snapshots.delete('web1', oldest, byAnn);
    expect(listed()).toEqual([newest, older]);
    expect(await onDisk()).toEqual([
      `.trash-${entry.id}-${oldest}`,
      `.trash-${entry.id}-${oldest}.json`,
      older,
      newest,
    ]);
    const now = bed.clock.now();
    expect(await trash.list()).toEqual([
      {
        id: entry.id,
        kind: 'snapshot',
        host: 'web1',
        snapshot: oldest,
        putAt: now,
        putBy: 'ann',
        path: join(backupdir, 'web1', `.trash-${entry.id}-${oldest}`),
        goesAt: new Date(now.getTime() + 7 * day),
      },
    ]);
    expect(await trash.list({ host: 'web2' })).toEqual([]);
    expect(await readdir(entry.path)).toEqual(['data', 'snapshot.json']);
  });

  test('that the host should not be without needs an admin, who repeats its name', async () => {
    expect(await reasonOf(snapshots.delete('web1', newest, { ...byAnn, confirm: `web1/${newest}` }))).toBe(
      'ADMIN_NEEDED',
    );
    for (const confirm of ['', newest, `web1/${older}`])
      expect(await reasonOf(snapshots.delete('web1', newest, { by: 'root', isAdmin: true, confirm }))).toBe(
        'CONFIRMATION_NEEDED',
      );
    expect(listed()).toEqual([newest, older, oldest]);
    expect(await onDisk()).toEqual([oldest, older, newest]);
    await snapshots.delete('web1', newest, { by: 'root', isAdmin: true, confirm: `web1/${newest}` });
    expect(listed()).toEqual([older, oldest]);
  });

  test('counts as newest what is on the disk, whatever the records say', async () => {
    await rm(join(backupdir, 'web1', newest), { recursive: true });
    expect(await reasonOf(snapshots.delete('web1', older, byAnn))).toBe('ADMIN_NEEDED');
  });

  test('is refused while the host has a run, and leaves no trace', async () => {
    await bed.lifecycle.start();
    const run = await bed.lifecycle.trigger({ host: 'web1', type: 'auto', requestId: null });
    expect(await reasonOf(snapshots.delete('web1', oldest, byAnn))).toBe('HOST_BUSY');
    expect(await onDisk()).toEqual([oldest, older, newest]);
    (await bed.parts.executor.next()).finish();
    await bed.ended(run.id);
    await snapshots.delete('web1', oldest, byAnn);
  });

  test('is refused for what is not there', async () => {
    expect(await reasonOf(snapshots.delete('web1', '2026-01-01_00-00-00f', byAnn))).toBe(
      'SNAPSHOT_NOT_FOUND',
    );
    expect(await reasonOf(Promise.resolve().then(() => snapshots.delete('web9', oldest, byAnn)))).toBe(
      'HOST_NOT_FOUND',
    );
  });
});

describe('what is in the trash', () => {
  test('comes back as it was', async () => {
    const before = bed.parts.catalog.snapshot('web1', oldest);
    const { id } = await snapshots.delete('web1', oldest, byAnn);
    expect(await trash.restore(id)).toMatchObject({ id, snapshot: oldest });
    expect(await onDisk()).toEqual([oldest, older, newest]);
    expect(bed.parts.catalog.snapshot('web1', oldest)).toMatchObject({
      path: before.path,
      runId: before.runId,
    });
    expect(await reasonOf(trash.restore(id))).toBe('TRASH_ENTRY_NOT_FOUND');
  });

  test('does not come back where keep would remove it, or over something else', async () => {
    const { id, path } = await snapshots.delete('web1', older, byAnn);
    const keep = { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
    bed.parts.catalog.replaceHosts([host({ keep })]);
    expect(await reasonOf(trash.restore(id))).toBe('TRASH_NOT_KEPT');
    bed.parts.catalog.replaceHosts([host()]);
    await mkdir(join(backupdir, 'web1', older));
    expect(await reasonOf(trash.restore(id))).toBe('TRASH_PLACE_TAKEN');
    expect(listed()).toEqual([newest, oldest]);
    expect(await readdir(path)).toEqual(['data', 'snapshot.json']);
  });

  test('is neither counted nor removed by keep, nor for want of space', async () => {
    await snapshots.delete('web1', older, byAnn);
    const keep = { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
    bed.parts.catalog.replaceHosts([host({ keep })]);
    await pruner.expire(bed.parts.catalog.hosts());
    expect(listed()).toEqual([newest, oldest]);
    expect(await inTrash()).toEqual([older]);
  });

  test('goes for good after trash_days, as they are then, and not before', async () => {
    await snapshots.delete('web1', oldest, byAnn);
    bed.clock.advance(7 * day - 1);
    trash.look();
    await trash.stop(new AbortController().signal);
    expect(await inTrash()).toEqual([oldest]);
    bed.clock.advance(1);
    trashDays = 8;
    const later = new Trash({
      ...bed.parts,
      bins: [snapshots],
      trashDays: () => trashDays,
      audit,
      log: quiet,
    });
    later.look();
    await later.stop(new AbortController().signal);
    expect(await inTrash()).toEqual([oldest]);
    trashDays = 7;
    const last = new Trash({
      ...bed.parts,
      bins: [snapshots],
      trashDays: () => trashDays,
      audit,
      log: quiet,
    });
    last.look();
    await until(async () => (await onDisk()).join() === [older, newest].join(), 'the space to be free');
    expect(logged.at(-1)).toContain('it was in the trash for trash_days (7)');
    await last.stop(new AbortController().signal);
    expect(audited).toEqual([`EmptyTrash ${oldest}`]);
  });

  test('is emptied early only when its name is repeated', async () => {
    const first = await snapshots.delete('web1', oldest, byAnn);
    bed.clock.advance(1);
    const second = await snapshots.delete('web1', older, byAnn);
    const by = 'root';
    for (const confirm of ['', 'all', `web1/${older}`])
      expect(await reasonOf(trash.empty(first.id, { confirm, by }))).toBe('CONFIRMATION_NEEDED');
    expect(await reasonOf(trash.empty(null, { confirm: `web1/${older}`, by }))).toBe('CONFIRMATION_NEEDED');
    expect(await inTrash()).toEqual([older, oldest]);
    expect(await trash.empty(first.id, { confirm: `web1/${oldest}`, by })).toMatchObject([{ id: first.id }]);
    expect(await inTrash()).toEqual([older]);
    expect(await trash.empty(null, { confirm: 'all', by })).toMatchObject([{ id: second.id }]);
    await until(async () => (await onDisk()).join() === newest, 'the space to be free');
  });

  test('is known by the disk alone, also without the note of who put it there', async () => {
    const { id, path } = await snapshots.delete('web1', oldest, byAnn);
    await rm(`${path}.json`);
    expect(await trash.list()).toMatchObject([{ id, putBy: '', putAt: bed.clock.now() }]);
    await writeFile(`${path}.json`, '{"putBy": 7');
    expect(await trash.list()).toMatchObject([{ id, putBy: '' }]);
    await trash.restore(id);
    expect(await onDisk()).toEqual([oldest, older, newest]);
  });

  test('is made good after a crash: no record of what is there, no note of what is not', async () => {
    const record = bed.parts.catalog.snapshot('web1', oldest);
    const { path } = await snapshots.delete('web1', oldest, byAnn);
    await bed.parts.catalog.record(record);
    const lost = join(backupdir, 'web1', '.trash-01KB0000000000000000000000-2026-11-02_20-00-05i.json');
    await writeFile(lost, '{}');
    trash.look();
    await trash.stop(new AbortController().signal);
    expect(listed()).toEqual([newest, older]);
    expect(await onDisk()).toEqual(
      [path, `${path}.json`, older, newest].map((name) => name.split('/').at(-1)),
    );
  });
});

const quiet = { info: ignore, warn: ignore, error: ignore };

function ignore(): void {}
