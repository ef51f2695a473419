import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Pruner } from '../../src/control/pruner.js';
import { readsSnapshot } from '../../src/control/restore-run.js';
import { BusyError } from '../../src/core/errors.js';
import type { RestoreMode, RestoreTarget } from '../../src/core/restore.js';
import { ControlBed } from '../helpers/control-bed.js';
import { presentDisk } from '../helpers/present-disk.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleSnapshot } from '../store/samples.js';

let bed: ControlBed;
const name = '2026-11-21_20-00-00f';

beforeEach(async () => {
  bed = await ControlBed.open({ hosts: ['web1', 'web2'] });
  await bed.parts.catalog.record(sampleSnapshot(name, { host: 'web1' }));
});
afterEach(() => bed.close());

function request(target: RestoreTarget, mode: RestoreMode = 'overwrite', requestId: string | null = null) {
  const wish = { paths: ['/etc'], target, mode, isDryRun: false };
  return { kind: 'restore', host: 'web1', snapshot: name, wish, requestId } as const;
}

const toWeb2: RestoreTarget = { kind: 'host', host: 'web2', directory: '/r' };
const toServer: RestoreTarget = { kind: 'local', directory: '/r' };

async function reasonOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => (error instanceof BusyError ? error.reason : String(error)),
  );
}

describe('a restore', () => {
  test('carries out what was asked for, and ends with what was done', async () => {
    const run = await bed.lifecycle.trigger(request(toWeb2));
    await expect.poll(() => bed.parts.executor.restores.length).toBe(1);
    const [restore] = bed.parts.executor.restores;
    expect(restore?.task).toMatchObject({
      target: { name: 'web2' },
      wish: { paths: ['/etc'] },
      own: ['/srv/backup'],
    });
    const counts = { created: 1, changed: 2, deleted: 0, skipped: 3, bytes: 4 };
    restore?.finish({ counts, changeCount: 3 });
    expect(await bed.ended(run.id)).toMatchObject({
      state: 'SUCCEEDED',
      kind: 'restore',
      restore: { counts, changeCount: 3, target: toWeb2, mode: 'overwrite' },
    });
    expect((await bed.parts.runs.get(run.id))?.restore).toMatchObject({ counts, paths: ['/etc'] });
  });

  test('has the place of a backup of the host it writes to, and of no other', async () => {
    const run = await bed.lifecycle.trigger(request(toWeb2));
    expect(bed.lifecycle.isBusy('web2')).toBe(true);
    expect(bed.lifecycle.isBusy('web1')).toBe(false);
    const backup = { host: 'web2', type: 'auto', requestId: null } as const;
    expect(await reasonOf(bed.lifecycle.trigger(backup))).toBe('HOST_BUSY');
    expect(await reasonOf(bed.lifecycle.trigger(request(toServer)))).toBe('HOST_BUSY');
    await bed.lifecycle.trigger({ ...backup, host: 'web1' });
    expect(await reasonOf(bed.lifecycle.trigger(request({ kind: 'original' })))).toBe('HOST_BUSY');
    await expect.poll(() => bed.parts.executor.restores.length).toBe(1);
    bed.parts.executor.restores[0]?.finish();
    await bed.ended(run.id);
    await expect.poll(() => bed.lifecycle.isBusy('web2')).toBe(false);
  });

  test('keeps its snapshot', async () => {
    await bed.lifecycle.trigger(request(toServer));
    const [{ run } = { run: null }] = bed.lifecycle.activeRuns();
    expect(run && readsSnapshot(run, { host: 'web1', name })).toBe(true);
    expect(run && readsSnapshot(run, { host: 'web1', name: `${name}x` })).toBe(false);
    expect(run && readsSnapshot(run, { host: 'web2', name })).toBe(false);
  });

  test('spares its snapshot from being removed, until it has ended', async () => {
    const { catalog } = bed.parts;
    const keep = { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
    catalog.replaceHosts([sampleHost({ name: 'web1', keep })]);
    const newer = ['2026-11-22_20-00-00i', '2026-11-23_20-00-00f'];
    for (const next of newer) await catalog.record(sampleSnapshot(next, { host: 'web1' }));
    const pruner = new Pruner({
      audit: { note: () => Promise.resolve() },
      ...bed.parts,
      lifecycle: bed.lifecycle,
      disk: presentDisk,
      log: { info: () => {}, warn: () => {}, error: () => {} },
    });
    const run = await bed.lifecycle.trigger(request(toServer));
    await expect.poll(() => bed.parts.executor.restores.length).toBe(1);
    const { verdicts } = await pruner.prune('web1');
    expect(verdicts.find(({ snapshot }) => snapshot.name === name)).toMatchObject({
      isKept: true,
      reason: `it is being restored (run ${run.id})`,
    });
    const read = { snapshot: catalog.snapshot('web1', name), reason: 'asked for' };
    expect(await reasonOf(pruner.remove(read))).toBe('SNAPSHOT_IN_USE');
    bed.parts.executor.restores[0]?.finish();
    await bed.ended(run.id);
    await pruner.remove(read);
    expect(catalog.snapshots('web1').map((snapshot) => snapshot.name)).not.toContain(name);
  });

  test('is cancelled in its own words, and answers the same request again', async () => {
    const wanted = request(toServer, 'overwrite', 'once');
    const run = await bed.lifecycle.trigger(wanted);
    await expect.poll(() => bed.parts.executor.restores.length).toBe(1);
    expect((await bed.lifecycle.trigger(wanted)).id).toBe(run.id);
    expect(await reasonOf(bed.lifecycle.trigger(request(toWeb2, 'overwrite', 'once')))).toBe(
      'INVALID_ARGUMENT',
    );
    await bed.lifecycle.cancel(run.id);
    expect(await bed.ended(run.id)).toMatchObject({
      state: 'CANCELLED',
      error: { reason: 'RESTORE_CANCELLED' },
    });
  });

  test.each([
    ['HOST_NOT_FOUND', request({ ...toWeb2, host: 'nobody' })],
    ['SNAPSHOT_NOT_FOUND', { ...request(toWeb2), snapshot: '2020-01-01_00-00-00f' }],
    [
      'MIRROR_REFUSED',
      { ...request(toWeb2, 'mirror'), wish: { ...request(toWeb2, 'mirror').wish, paths: ['/'] } },
    ],
  ])('is refused with %s', async (reason, wanted) => {
    expect(await reasonOf(bed.lifecycle.trigger(wanted))).toBe(reason);
  });
});
