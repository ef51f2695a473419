import { afterEach, describe, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import type { Progress, RequestedType, RunRecord } from '../../src/core/run.js';
import { ControlBed } from '../helpers/control-bed.js';
import { snapshotOf, type FakeBackup } from '../helpers/fake-executor.js';
import { noScripts, sampleHost } from '../helpers/sample-host.js';

const beds: ControlBed[] = [];
afterEach(async () => {
  for (const bed of beds.splice(0)) await bed.close();
});

async function open(...args: Parameters<typeof ControlBed.open>): Promise<ControlBed> {
  const bed = await ControlBed.open(...args);
  beds.push(bed);
  return bed;
}

function trigger(bed: ControlBed, host = 'web1', requestId: string | null = null): Promise<RunRecord> {
  return bed.lifecycle.trigger({ host, type: 'auto' satisfies RequestedType, requestId });
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof BusyError ? error.reason : `no BusyError: ${String(error)}`;
}

function succeed(bed: ControlBed, backup: FakeBackup): void {
  backup.finish({ snapshot: snapshotOf(backup.task, bed.clock.now()) });
}

const progress: Progress = {
  phase: 'copy',
  jobNumber: 1,
  jobCount: 1,
  jobsEnded: 0,
  bytesDone: 1,
  percent: 1,
  bytesPerSecond: 1,
  secondsLeft: null,
  filesTransferred: 0,
  entriesDone: 0,
  currentFile: '',
  isListing: true,
};

describe('a backup', () => {
  it('is queued, runs, and succeeds with its snapshot', async () => {
    const bed = await open();
    const queued = await trigger(bed);
    const backup = await bed.parts.executor.next();
    expect(backup.task).toMatchObject({
      runId: queued.id,
      type: 'full',
      scripts: noScripts,
      logFile: bed.parts.logs.path(queued.id),
    });
    expect(await bed.lifecycle.get(queued.id)).toMatchObject({
      state: 'RUNNING',
      type: 'full',
      typeReason: 'there is no full snapshot yet',
      startedAt: bed.clock.now(),
      endedAt: null,
    });
    bed.clock.advance(60_000);
    const snapshot = snapshotOf(backup.task, bed.clock.now());
    backup.finish({ snapshot });
    const ended = await bed.ended(queued.id);
    expect(ended).toMatchObject({
      state: 'SUCCEEDED',
      snapshot: snapshot.name,
      error: null,
      endedAt: bed.clock.now(),
    });
    expect(await bed.parts.runs.get(queued.id)).toEqual(ended);
    expect(bed.lifecycle.lastRun('web1')).toEqual(ended);
    expect(bed.parts.catalog.snapshots('web1')).toEqual([snapshot]);
    expect(await bed.log(queued.id)).toEqual([
      'backup of web1 was asked for (auto)',
      'started: full, since there is no full snapshot yet',
      'ended: SUCCEEDED',
    ]);
    expect([bed.lifecycle.activeRuns(), bed.errors]).toEqual([[], []]);
  });

  it('that misses files is partial, for the reason of the first such job', async () => {
    const bed = await open();
    const { id } = await trigger(bed);
    const backup = await bed.parts.executor.next();
    const error = new BusyError('FILES_MISSING', {
      count: '1',
      source: '/etc',
      first: '/etc/shadow',
    }).toFailure();
    const job = { number: 1, source: '/etc', state: 'PARTIAL', error, exitCode: 23, stats: null } as const;
    const jobs = [
      { ...job, missingFiles: [{ path: '/etc/shadow', why: 'Permission denied (13)' }], missingFileCount: 1 },
    ];
    backup.finish({ jobs, snapshot: snapshotOf(backup.task, bed.clock.now(), { outcome: 'PARTIAL' }) });
    expect(await bed.ended(id)).toMatchObject({ state: 'PARTIAL', error, jobs });
  });

  it('whose snapshot is held is partial for that, though all its jobs were good, and no failure', async () => {
    const bed = await open();
    const { id } = await bed.lifecycle.trigger({
      host: 'web1',
      type: 'auto',
      requestId: 'once',
      acceptsChanges: true,
    });
    const backup = await bed.parts.executor.next();
    expect(backup.task.acceptsChanges).toBe(true);
    const heldFor = [{ code: 'SHRUNK', source: '/etc', message: '/etc has shrunk' }] as const;
    const held = snapshotOf(backup.task, bed.clock.now(), { heldFor });
    backup.finish({ snapshot: held });
    expect(await bed.ended(id)).toMatchObject({
      state: 'PARTIAL',
      snapshot: held.name,
      error: { reason: 'SNAPSHOT_HELD' },
    });
    expect(bed.lifecycle.failuresInRow('web1')).toBe(0);
    const other = bed.lifecycle.trigger({ host: 'web1', type: 'auto', requestId: 'once' });
    await expect(other).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  it('that fails frees its host', async () => {
    const bed = await open();
    const { id } = await trigger(bed);
    const error = new BusyError('DISK_FULL', { detail: 'x' }).toFailure();
    (await bed.parts.executor.next()).finish({ error });
    expect(await bed.ended(id)).toMatchObject({ state: 'FAILED', error, snapshot: null });
    expect((await trigger(bed)).state).not.toBe('FAILED');
  });

  it('is recorded as what the executor made of it', async () => {
    const bed = await open();
    const { id } = await bed.lifecycle.trigger({ host: 'web1', type: 'incremental', requestId: null });
    const backup = await bed.parts.executor.next();
    expect(backup.task.type).toBe('incremental');
    backup.finish({ type: 'full', snapshot: snapshotOf(backup.task, bed.clock.now(), { type: 'full' }) });
    expect(await bed.ended(id)).toMatchObject({
      state: 'SUCCEEDED',
      requestedType: 'incremental',
      type: 'full',
      typeReason: 'there is no snapshot on the disk to link to',
    });
  });

  it('whose executor dies has failed, and its host is free', async () => {
    const bed = await open();
    const { id } = await trigger(bed);
    (await bed.parts.executor.next()).die();
    expect(await bed.ended(id)).toMatchObject({ state: 'FAILED', error: { reason: 'EXECUTOR_DIED' } });
    await trigger(bed);
    expect((await bed.parts.executor.next()).task.runId).not.toBe(id);
  });

  it('whose executor dies after the commit has succeeded', async () => {
    const bed = await open();
    const { id } = await trigger(bed);
    const backup = await bed.parts.executor.next();
    const snapshot = snapshotOf(backup.task, bed.clock.now());
    bed.onDisk.push(snapshot);
    backup.die();
    expect(await bed.ended(id)).toMatchObject({ state: 'SUCCEEDED', snapshot: snapshot.name, error: null });
    expect(bed.parts.catalog.snapshots('web1')).toEqual([snapshot]);
  });

  it('shows its progress and jobs while it runs, and no progress afterwards', async () => {
    const bed = await open();
    const { id } = await trigger(bed);
    const backup = await bed.parts.executor.next();
    backup.events.onProgress(progress);
    expect(bed.lifecycle.progress(id)).toEqual(progress);
    expect(bed.lifecycle.activeRuns()).toMatchObject([{ run: { id }, progress }]);
    succeed(bed, backup);
    await bed.ended(id);
    backup.events.onProgress({ ...progress, percent: 99 });
    expect(bed.lifecycle.progress(id)).toBeNull();
    expect((await bed.lifecycle.get(id)).state).toBe('SUCCEEDED');
  });

  it('that cannot be written to its log does not hold its host', async () => {
    const bed = await open();
    const logs = {
      ...bed.parts.logs,
      append: () => Promise.reject(new Error('ENOSPC: no space left on device')),
    };
    const sick = await open({ parts: { logs } });
    const { id } = await trigger(sick);
    (await sick.parts.executor.next()).obeyCancel();
    await sick.lifecycle.cancel(id);
    expect((await sick.ended(id)).state).toBe('CANCELLED');
  });
});

describe('a trigger', () => {
  it('refuses a host that is not there', async () => {
    expect(await reasonOf(trigger(await open(), 'nobody'))).toBe('HOST_NOT_FOUND');
  });

  it('refuses a host that is busy, and names its run', async () => {
    const bed = await open();
    const { id } = await trigger(bed);
    const again = trigger(bed);
    expect(await reasonOf(again)).toBe('HOST_BUSY');
    await expect(again).rejects.toThrow(id);
  });

  it('lets one of many at once through', async () => {
    const bed = await open();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => trigger(bed)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await bed.parts.runs.list({})).toHaveLength(1);
  });

  it('answers the same run for the same request id, also many at once, while it runs and after', async () => {
    const bed = await open();
    const runs = await Promise.all(Array.from({ length: 20 }, () => trigger(bed, 'web1', 'once')));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    const backup = await bed.parts.executor.next();
    expect(await trigger(bed, 'web1', 'once')).toMatchObject({ id: backup.task.runId, state: 'RUNNING' });
    succeed(bed, backup);
    const ended = await bed.ended(backup.task.runId);
    expect(await trigger(bed, 'web1', 'once')).toEqual(ended);
    expect(bed.parts.executor.backups).toHaveLength(1);
    expect(
      await reasonOf(trigger(bed, 'web1', 'twice').then((run) => trigger(bed, run.host, 'thrice'))),
    ).toBe('HOST_BUSY');
  });
});

describe('the limit', () => {
  it('lets so many run, and the others in their order', async () => {
    const hosts = ['a', 'b', 'c', 'd', 'e'];
    const bed = await open({ hosts, maxRunning: 2 });
    for (const host of hosts) await trigger(bed, host);
    expect(bed.lifecycle.counts()).toEqual({ queued: 3, running: 2 });
    const order: string[] = [];
    const first = await bed.parts.executor.next();
    let oldest = first;
    order.push(first.task.host.name);
    for (let started = 1; started < hosts.length; started++) {
      const next = await bed.parts.executor.next();
      order.push(next.task.host.name);
      expect(bed.lifecycle.counts().running).toBe(2);
      succeed(bed, oldest);
      oldest = next;
    }
    expect(order).toEqual(hosts);
    succeed(bed, oldest);
    await bed.ended(oldest.task.runId);
    await bed.lifecycle.stop(new AbortController().signal);
    expect(bed.lifecycle.counts()).toEqual({ queued: 0, running: 0 });
  });
});

describe('a run of the schedule whose window closes while it waits', () => {
  const nightly = sampleHost({ windows: ['19:00-20:30'] });

  it('does not begin, and the next one does when the window is open again', async () => {
    const bed = await open({ hosts: ['slow', 'web1'], maxRunning: 1 });
    bed.parts.catalog.replaceHosts([sampleHost({ name: 'slow' }), nightly]);
    await trigger(bed, 'slow');
    const slow = await bed.parts.executor.next();
    const waiting = await bed.lifecycle.trigger({
      host: 'web1',
      type: 'auto',
      requestId: null,
      isScheduled: true,
    });
    bed.clock.advance(60 * 60_000);
    slow.die();
    expect(await bed.ended(waiting.id)).toMatchObject({
      state: 'CANCELLED',
      error: { reason: 'WINDOW_CLOSED' },
    });
    expect(bed.lifecycle.failuresInRow('web1')).toBe(0);
    const byHand = await trigger(bed, 'web1');
    expect((await bed.parts.executor.next()).task.runId).toBe(byHand.id);
  });
});
