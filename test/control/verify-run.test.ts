import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Scrubber } from '../../src/control/scrubber.js';
import { readersBelow } from '../../src/control/run-stops.js';
import { BusyError } from '../../src/core/errors.js';
import type { SnapshotPlace } from '../../src/core/ports.js';
import type { RunRecord } from '../../src/core/run.js';
import type { VerificationRecord } from '../../src/core/verification.js';
import { ControlBed } from '../helpers/control-bed.js';
import type { FakeVerification } from '../helpers/fake-executor.js';
import { until } from '../helpers/test-bed.js';
import { sampleSnapshot } from '../store/samples.js';

const older = '2026-11-20_20-00-05f';
const newer = '2026-11-21_20-00-05i';
const found: VerificationRecord = {
  snapshots: [older],
  unverifiable: [],
  entries: 3,
  filesRead: 1,
  bytesRead: 10,
  differences: [{ snapshot: older, kind: 'content', path: '/etc/hosts', detail: 'its hash was a, is b' }],
  differenceCount: 1,
  damagedFileCount: 1,
};
const damaged = new BusyError('SNAPSHOT_DAMAGED', {
  host: 'web1',
  found: '1 damaged or missing files',
  first: 'x',
}).toFailure();

let bed: ControlBed;

beforeEach(async () => {
  bed = await ControlBed.open({ hosts: ['web1', 'web2'] });
  for (const name of [older, newer]) await bed.parts.catalog.record(sampleSnapshot(name));
});
afterEach(() => bed.close());

function verify(snapshot: string | null = null, host = 'web1'): Promise<RunRecord> {
  return bed.lifecycle.trigger({ kind: 'verify', host, snapshot, requestId: null });
}

async function started(number: number): Promise<FakeVerification> {
  await until(() => bed.parts.executor.verifications.length >= number, 'a verification to start');
  const verification = bed.parts.executor.verifications[number - 1];
  if (!verification) throw new Error('it has started');
  return verification;
}

describe('a verification', () => {
  it('is a run as all others: asked for, carried out, recorded with what it found', async () => {
    const run = await verify(older);
    const work = await started(1);
    expect(work.task).toMatchObject({ runId: run.id, snapshots: [older], isScrub: false });
    work.finish({
      verification: found,
      error: damaged,
      verified: [{ name: older, verifiedAt: bed.clock.now(), damagedFileCount: 1 }],
    });
    expect(await bed.ended(run.id)).toMatchObject({
      kind: 'verify',
      state: 'FAILED',
      snapshot: older,
      error: { reason: 'SNAPSHOT_DAMAGED' },
    });
    expect((await bed.parts.runs.get(run.id))?.verification).toEqual(found);
    expect(bed.parts.catalog.snapshot('web1', older)).toMatchObject({
      verifiedAt: bed.clock.now(),
      damagedFileCount: 1,
    });
    expect(bed.parts.catalog.snapshot('web1', newer)).toMatchObject({ damagedFileCount: 3 });
  });

  it.each([
    [null, 'SUCCEEDED'],
    [new BusyError('SNAPSHOT_CHANGED', {}).toFailure(), 'PARTIAL'],
    [damaged, 'FAILED'],
    [new BusyError('BACKUPDIR_UNUSABLE', {}).toFailure(), 'FAILED'],
  ])('that ends with %j is %s', async (error, state) => {
    const run = await verify();
    const work = await started(1);
    expect(work.task.snapshots).toEqual([older, newer]);
    work.finish({ error });
    expect(await bed.ended(run.id)).toMatchObject({ state });
  });

  it('and a backup of the same host do not know of each other; two of them do', async () => {
    const backup = await bed.lifecycle.trigger({ host: 'web1', type: 'full', requestId: null });
    const run = await verify();
    await started(1);
    await bed.parts.executor.next();
    await expect(verify(newer)).rejects.toMatchObject({
      reason: 'HOST_BUSY',
      facts: { kind: 'verification', run: run.id },
    });
    expect([bed.lifecycle.isBusy('web1'), bed.lifecycle.isBusy('web1', 'scrub')]).toEqual([true, true]);
    await bed.lifecycle.cancel(backup.id);
    expect((await bed.lifecycle.get(run.id)).state).toBe('RUNNING');
    await bed.lifecycle.cancel(run.id);
    expect(await bed.ended(run.id)).toMatchObject({ state: 'CANCELLED', error: { reason: 'CANCELLED' } });
    expect(bed.lifecycle.isBusy('web1', 'verify')).toBe(false);
  });

  it('is no backup to those who judge a host by its backups', async () => {
    const run = await verify();
    (await started(1)).finish({ error: damaged });
    await bed.ended(run.id);
    expect(bed.lifecycle.lastRun('web1')).toBeNull();
    expect(bed.lifecycle.failuresInRow('web1')).toBe(0);
  });

  it('waits for another one on the same disk, also of another host', async () => {
    await bed.parts.catalog.record(sampleSnapshot(older, { host: 'web2' }));
    const first = await verify();
    const second = await verify(null, 'web2');
    const work = await started(1);
    expect((await bed.lifecycle.get(second.id)).state).toBe('QUEUED');
    work.finish();
    await bed.ended(first.id);
    (await started(2)).finish();
    expect((await bed.ended(second.id)).state).toBe('SUCCEEDED');
  });

  it('of what is not there is refused', async () => {
    await expect(verify('2020-01-01_00-00-00f')).rejects.toMatchObject({ reason: 'SNAPSHOT_NOT_FOUND' });
    await expect(verify(null, 'web2')).rejects.toMatchObject({ reason: 'NOTHING_TO_VERIFY' });
    expect(await bed.parts.runs.list({})).toEqual([]);
  });

  it('is answered again for its request id, and nothing else is', async () => {
    const request = { kind: 'verify', host: 'web1', snapshot: null, requestId: 'a' } as const;
    const run = await bed.lifecycle.trigger(request);
    expect((await bed.lifecycle.trigger(request)).id).toBe(run.id);
    for (const other of [
      { ...request, snapshot: older },
      { host: 'web1', type: 'auto', requestId: 'a' } as const,
    ])
      await expect(bed.lifecycle.trigger(other)).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  it('fails when its executor dies', async () => {
    const run = await verify();
    (await started(1)).die();
    expect(await bed.ended(run.id)).toMatchObject({ state: 'FAILED', error: { reason: 'EXECUTOR_DIED' } });
  });

  it('makes room for post-backup, and says so', async () => {
    const run = await verify();
    await started(1);
    const { backupdir } = bed.parts.catalog.host('web1');
    await bed.lifecycle.endAll('post-backup', readersBelow(bed.parts.catalog.hosts(), '/another'));
    expect((await bed.lifecycle.get(run.id)).state).toBe('RUNNING');
    await bed.lifecycle.endAll('post-backup', readersBelow(bed.parts.catalog.hosts(), backupdir));
    expect(await bed.lifecycle.get(run.id)).toMatchObject({
      state: 'CANCELLED',
      error: { reason: 'CANCELLED_FOR_SCRIPT' },
    });
  });

  it('is given no time when the daemon stops', async () => {
    const run = await verify();
    await started(1);
    await bed.lifecycle.stop(new AbortController().signal);
    expect(await bed.lifecycle.get(run.id)).toMatchObject({
      state: 'CANCELLED',
      error: { reason: 'CANCELLED_BY_STOP' },
    });
  });
});

describe('the scrubber', () => {
  const nightMs = 5 * 3_600_000;
  let places: SnapshotPlace;
  let scrubber: Scrubber;

  beforeEach(async () => {
    places = 'present';
    scrubber = new Scrubber({
      ...bed.parts,
      lifecycle: bed.lifecycle,
      disk: { locate: async (snapshots) => new Map(snapshots.map((snapshot) => [snapshot, places])) },
      onError: (_, error) => void bed.errors.push(error),
    });
    await bed.parts.catalog.record(sampleSnapshot('2026-11-19_20-00-05f', { manifest: null }));
    await scrubber.start();
  });
  afterEach(() => scrubber.stop());

  it('starts one of each host with snapshots in the night, of those that have a manifest, and not again', async () => {
    await scrubber.look();
    expect(bed.parts.executor.verifications).toEqual([]);
    bed.clock.advance(nightMs);
    await scrubber.look();
    const work = await started(1);
    expect(work.task).toMatchObject({ isScrub: true, snapshots: [older, newer], host: { name: 'web1' } });
    await scrubber.look();
    work.finish();
    await bed.ended(work.task.runId);
    await scrubber.look();
    expect((await bed.parts.runs.list({ kind: 'scrub' })).length).toBe(1);
    bed.clock.advance(24 * 3_600_000);
    await scrubber.look();
    await started(2);
    expect(bed.errors).toEqual([]);
  });

  it('leaves a host alone whose disk is not there, or that is being verified', async () => {
    bed.clock.advance(nightMs);
    places = 'absent';
    await scrubber.look();
    places = 'present';
    await verify();
    await scrubber.look();
    expect(await bed.parts.runs.list({ kind: 'scrub' })).toEqual([]);
    expect(bed.errors).toEqual([]);
  });
});
