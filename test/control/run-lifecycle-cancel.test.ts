import { afterEach, describe, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import type { Progress, RequestedType, RunRecord } from '../../src/core/run.js';
import { ControlBed } from '../helpers/control-bed.js';
import { snapshotOf, type FakeBackup } from '../helpers/fake-executor.js';

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

describe('a cancel', () => {
  it('of a run that waits ends it before it starts', async () => {
    const bed = await open({ hosts: ['a', 'b'], maxRunning: 1 });
    await trigger(bed, 'a');
    const first = await bed.parts.executor.next();
    const { id } = await trigger(bed, 'b');
    expect(await bed.lifecycle.cancel(id)).toMatchObject({
      state: 'CANCELLED',
      startedAt: null,
    });
    expect((await bed.lifecycle.get(id)).error?.message).toBe('The run was cancelled on request.');
    const again = await trigger(bed, 'b');
    succeed(bed, first);
    expect((await bed.parts.executor.next()).task.runId).toBe(again.id);
    expect(bed.parts.executor.backups).toHaveLength(2);
  });

  it('of a run that runs goes through CANCELLING', async () => {
    const bed = await open();
    const { id } = await trigger(bed);
    const backup = await bed.parts.executor.next();
    expect((await bed.lifecycle.cancel(id)).state).toBe('CANCELLING');
    expect(backup.signal.aborted).toBe(true);
    expect(await reasonOf(trigger(bed))).toBe('HOST_BUSY');
    expect((await bed.lifecycle.cancel(id)).state).toBe('CANCELLING');
    backup.obeyCancel();
    expect(await bed.ended(id)).toMatchObject({ state: 'CANCELLED', error: { reason: 'CANCELLED' } });
    await trigger(bed);
  });

  it('that comes after the commit changes nothing', async () => {
    const bed = await open();
    const { id } = await trigger(bed);
    const backup = await bed.parts.executor.next();
    await bed.lifecycle.cancel(id);
    succeed(bed, backup);
    expect((await bed.ended(id)).state).toBe('SUCCEEDED');
  });

  it('of a run that has ended, or never was, is refused', async () => {
    const bed = await open();
    const { id } = await trigger(bed);
    succeed(bed, await bed.parts.executor.next());
    await bed.ended(id);
    expect(await reasonOf(bed.lifecycle.cancel(id))).toBe('RUN_ENDED');
    expect(await reasonOf(bed.lifecycle.cancel('01JDTEST000000000000000001'))).toBe('RUN_NOT_FOUND');
    expect((await bed.lifecycle.get(id)).state).toBe('SUCCEEDED');
  });

  it('in the moment of the start holds the host until the backup has stopped', async () => {
    const bed = await open();
    for (let round = 0; round < 25; round++) {
      const { id } = await trigger(bed);
      await bed.lifecycle.cancel(id).catch(() => null);
      const run = await bed.parts.runs.get(id);
      if (run?.state === 'CANCELLING') {
        expect(await reasonOf(trigger(bed))).toBe('HOST_BUSY');
        (await bed.parts.executor.next()).obeyCancel();
      }
      expect((await bed.ended(id)).state).toBe('CANCELLED');
      expect((await bed.log(id)).filter((line) => line.startsWith('ended:'))).toHaveLength(1);
    }
    expect(bed.lifecycle.activeRuns()).toEqual([]);
  });

  it('shows a watcher no revision twice or back, while reports of the executor come in', async () => {
    const bed = await open();
    const { id } = await trigger(bed);
    const backup = await bed.parts.executor.next();
    const stop = new AbortController();
    const seen: number[] = [];
    const options = { afterRevision: 1, host: null, runId: id };
    const watched = (async (): Promise<void> => {
      for await (const { run } of bed.parts.events.watch(options, stop.signal)) {
        seen.push(run.revision);
        if (run.state === 'CANCELLED') return;
      }
    })();
    const cancelled = bed.lifecycle.cancel(id);
    for (let percent = 0; !backup.signal.aborted; percent++) {
      backup.events.onProgress({ ...progress, percent });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await cancelled;
    backup.obeyCancel();
    await watched;
    stop.abort();
    expect(seen.length).toBeGreaterThan(2);
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
  });
});
