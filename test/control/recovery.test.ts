import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recover } from '../../src/control/recovery.js';
import type { JobRecord, RunRecord } from '../../src/core/run.js';
import type { SnapshotRecord } from '../../src/core/snapshot.js';
import { ControlBed } from '../helpers/control-bed.js';
import { snapshotOf } from '../helpers/fake-executor.js';
import { noScripts, sampleHost } from '../helpers/sample-host.js';
import { sampleRun } from '../store/samples.js';

const sampleJob: JobRecord = {
  number: 1,
  source: '/etc',
  state: 'SUCCEEDED',
  error: null,
  exitCode: 0,
  stats: null,
  missingFiles: [],
  missingFileCount: 0,
};

let bed: ControlBed;
beforeEach(async () => {
  bed = await ControlBed.open({ hosts: ['web1', 'web2'] });
});
afterEach(() => bed.close());

function recoverAll(): Promise<RunRecord[]> {
  return recover({ ...bed.parts, nextRevision: () => bed.parts.events.nextRevision() });
}

/** A run as a daemon that died has left it. */
async function leave(number: number, changes: Partial<RunRecord>): Promise<RunRecord> {
  const run = sampleRun(number, { type: 'incremental', startedAt: bed.clock.now(), ...changes });
  await bed.parts.runs.add(run);
  return run;
}

function committedBy(run: RunRecord, changes: Partial<SnapshotRecord> = {}): SnapshotRecord {
  const host = sampleHost({ name: run.host });
  const task = {
    runId: run.id,
    host,
    scripts: noScripts,
    acceptsChanges: false,
    secretPlaces: [],
    logFile: '',
  };
  return snapshotOf({ ...task, type: 'full' }, bed.clock.now(), changes);
}

describe('recover', () => {
  it.each(['RUNNING', 'CANCELLING'] as const)('makes INTERRUPTED of a run that was %s', async (state) => {
    const run = await leave(1, { state });
    bed.clock.advance(3_600_000);
    const [settled, ...others] = await recoverAll();
    expect(others).toEqual([]);
    expect(settled).toMatchObject({ state: 'INTERRUPTED', endedAt: bed.clock.now(), snapshot: null });
    expect(settled?.error?.reason).toBe('DAEMON_DIED');
    expect(settled?.revision).toBeGreaterThan(run.revision);
    expect(await bed.parts.runs.get(run.id)).toEqual(settled);
    expect(await bed.log(run.id)).toEqual([expect.stringMatching(/^ended: INTERRUPTED \(DAEMON_DIED: /)]);
    expect(bed.parts.catalog.snapshots('web1')).toEqual([]);
  });

  it.each([
    ['RUNNING', 'SUCCEEDED'],
    ['CANCELLING', 'SUCCEEDED'],
    ['RUNNING', 'PARTIAL'],
  ] as const)('believes the disk: a run that was %s and committed has %s', async (state, outcome) => {
    const run = await leave(1, { state });
    const snapshot = committedBy(run, { outcome });
    bed.onDisk.push(snapshot);
    expect(await recoverAll()).toMatchObject([
      { state: outcome, snapshot: snapshot.name, type: 'full', error: null },
    ]);
    expect(await bed.log(run.id)).toEqual([
      `ended: ${outcome} (found committed on the disk after a restart)`,
    ]);
    bed = await bed.reopen({ hosts: ['web1', 'web2'] });
    expect(bed.parts.catalog.snapshots('web1')).toEqual([snapshot]);
  });

  it('takes from the disk what a run lacks, and so why it is PARTIAL', async () => {
    await leave(1, { state: 'RUNNING', jobs: [{ ...sampleJob, state: 'RUNNING' }] });
    const error = { reason: 'FILES_VANISHED' as const, message: 'one vanished', advice: 'look' };
    const missing = { missingFiles: [{ path: '/etc/x', why: 'vanished' }], missingFileCount: 1 };
    bed.jobsOnDisk.push({ ...sampleJob, state: 'PARTIAL', error, exitCode: 24, ...missing });
    bed.onDisk.push(committedBy(sampleRun(1), { outcome: 'PARTIAL' }));
    expect(await recoverAll()).toMatchObject([{ state: 'PARTIAL', error, jobs: bed.jobsOnDisk }]);
  });

  it('makes PARTIAL of a run whose committed snapshot is held, with the reason', async () => {
    const run = await leave(1, { state: 'RUNNING' });
    const heldFor = [{ code: 'SHRUNK', source: '/etc', message: '/etc has shrunk' }] as const;
    bed.onDisk.push(committedBy(run, { heldFor }));
    expect(await recoverAll()).toMatchObject([{ state: 'PARTIAL', error: { reason: 'SNAPSHOT_HELD' } }]);
  });

  it('takes no snapshot of another run or host for it', async () => {
    const run = await leave(1, { state: 'RUNNING' });
    bed.onDisk.push(committedBy({ ...run, host: 'web2' }), committedBy(sampleRun(2)));
    expect(await recoverAll()).toMatchObject([{ state: 'INTERRUPTED' }]);
  });

  it('leaves runs that wait and runs that have ended as they are', async () => {
    const kept = [
      await leave(1, { state: 'QUEUED', type: null, startedAt: null }),
      await leave(2, { state: 'SUCCEEDED' }),
      await leave(3, { state: 'FAILED' }),
      await leave(4, { state: 'INTERRUPTED' }),
    ];
    expect(await recoverAll()).toEqual([]);
    for (const run of kept) expect(await bed.parts.runs.get(run.id)).toEqual(run);
  });

  it('settles a run whose host is gone from the configuration', async () => {
    await leave(1, { state: 'RUNNING', host: 'gone' });
    expect(await recoverAll()).toMatchObject([{ state: 'INTERRUPTED' }]);
  });

  it('settles each of several, and nothing the second time', async () => {
    const runs = [
      await leave(1, { state: 'RUNNING' }),
      await leave(2, { state: 'RUNNING', host: 'web2' }),
    ] as const;
    bed.onDisk.push(committedBy(runs[1]));
    const settled = await recoverAll();
    expect(new Map(settled.map(({ host, state }) => [host, state]))).toEqual(
      new Map([
        ['web1', 'INTERRUPTED'],
        ['web2', 'SUCCEEDED'],
      ]),
    );
    expect(new Set(settled.map(({ revision }) => revision)).size).toBe(2);
    expect(await recoverAll()).toEqual([]);
  });

  it('frees the hosts for the lifecycle that follows', async () => {
    await leave(1, { state: 'RUNNING' });
    await recoverAll();
    await bed.lifecycle.start();
    expect(bed.lifecycle.lastRun('web1')?.state).toBe('INTERRUPTED');
    const { id } = await bed.lifecycle.trigger({ host: 'web1', type: 'auto', requestId: null });
    expect((await bed.parts.executor.next()).task.runId).toBe(id);
  });
});
