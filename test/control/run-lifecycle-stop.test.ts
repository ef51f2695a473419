/** The end of a daemon, and the next one on the same state directory. */
import { afterEach, describe, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import type { RunRecord } from '../../src/core/run.js';
import { ControlBed } from '../helpers/control-bed.js';
import { snapshotOf } from '../helpers/fake-executor.js';

let bed: ControlBed;
afterEach(() => bed.close());

const trigger = (host: string): Promise<RunRecord> =>
  bed.lifecycle.trigger({ host, type: 'auto', requestId: null });

describe('a stop', () => {
  it('lets end what runs, and starts nothing more', async () => {
    bed = await ControlBed.open({ hosts: ['a', 'b'], maxRunning: 1 });
    const running = await trigger('a');
    const waiting = await trigger('b');
    const backup = await bed.parts.executor.next();
    const stopped = bed.lifecycle.stop(new AbortController().signal);
    await expect(trigger('c')).rejects.toThrow(new BusyError('DAEMON_STOPPING').message);
    expect(backup.signal.aborted).toBe(false);
    backup.finish({ snapshot: snapshotOf(backup.task, bed.clock.now()) });
    await stopped;
    expect((await bed.parts.runs.get(running.id))?.state).toBe('SUCCEEDED');
    expect((await bed.parts.runs.get(waiting.id))?.state).toBe('QUEUED');
    expect(bed.parts.executor.backups).toHaveLength(1);
  });

  it('cancels after the grace what still runs, and leaves what waits', async () => {
    bed = await ControlBed.open({ hosts: ['a', 'b', 'c'], maxRunning: 2 });
    const runs = [await trigger('a'), await trigger('b'), await trigger('c')];
    const backups = [await bed.parts.executor.next(), await bed.parts.executor.next()];
    for (const backup of backups) backup.obeyCancel();
    const giveUp = new AbortController();
    const stopped = bed.lifecycle.stop(giveUp.signal);
    expect(backups.map(({ signal }) => signal.aborted)).toEqual([false, false]);
    giveUp.abort();
    await stopped;
    const ended = await Promise.all(runs.map(({ id }) => bed.parts.runs.get(id)));
    expect(ended.map((run) => run?.state)).toEqual(['CANCELLED', 'CANCELLED', 'QUEUED']);
    expect(ended[0]?.error?.message).toBe('The run was cancelled because the daemon stops.');
    expect(bed.errors).toEqual([]);
  });

  it('without grace ends also a backup that is just about to start', async () => {
    bed = await ControlBed.open();
    const { id } = await trigger('web1');
    const stopped = bed.lifecycle.stop(AbortSignal.abort());
    // Whatever was started by then obeys at once; a backup that nobody cancels would go on for ever.
    const obeyed = bed.parts.executor.next().then((backup) => backup.obeyCancel());
    await Promise.race([stopped, obeyed.then(() => stopped)]);
    expect(['CANCELLED', 'QUEUED']).toContain((await bed.parts.runs.get(id))?.state);
    expect(bed.lifecycle.counts().running).toBe(0);
  }, 5000);

  it('of an idle lifecycle settles at once', async () => {
    bed = await ControlBed.open();
    await bed.lifecycle.stop(new AbortController().signal);
    await bed.lifecycle.stop(AbortSignal.abort());
  });
});

describe('the next start', () => {
  it('takes up what waited, in its order', async () => {
    const hosts = ['a', 'b', 'c', 'd'];
    bed = await ControlBed.open({ hosts, maxRunning: 1 });
    const queued: string[] = [];
    for (const host of hosts) {
      bed.clock.advance(1000);
      queued.push((await trigger(host)).id);
    }
    (await bed.parts.executor.next()).obeyCancel();
    await bed.lifecycle.stop(AbortSignal.abort());

    // One at a time: runs that start together reach the executor in any order.
    bed = await bed.reopen({ hosts, maxRunning: 1 });
    await bed.lifecycle.start();
    const taken: string[] = [];
    for (let count = 0; count < 3; count++) {
      const backup = await bed.parts.executor.next();
      taken.push(backup.task.runId);
      if (count < 2) backup.die();
    }
    expect(taken).toEqual(queued.slice(1));
    await expect(trigger('d')).rejects.toThrow(queued[3]);
    expect(bed.lifecycle.lastRun('a')).toMatchObject({ id: queued[0], state: 'CANCELLED' });
    expect((await trigger('a')).id).not.toBe(queued[0]);
  });

  it('fails a run whose host is gone from the configuration', async () => {
    bed = await ControlBed.open({ hosts: ['a', 'b'], maxRunning: 1 });
    await trigger('a');
    const { id } = await trigger('b');
    (await bed.parts.executor.next()).obeyCancel();
    await bed.lifecycle.stop(AbortSignal.abort());

    bed = await bed.reopen({ hosts: ['a'] });
    await bed.lifecycle.start();
    expect(await bed.ended(id)).toMatchObject({ state: 'FAILED', error: { reason: 'HOST_NOT_FOUND' } });
  });

  it('goes on with revisions where the last one ended, also when the clock was set back', async () => {
    bed = await ControlBed.open();
    bed.clock.advance(86_400_000);
    await bed.parts.events.start();
    const { revision } = await trigger('web1');
    bed = await bed.reopen();
    expect(bed.parts.events.nextRevision()).toBeGreaterThan(revision);
  });
});
