import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { durableRuns, durableSnapshots } from '../../src/control/durable-stores.js';
import { PendingWrites } from '../../src/control/pending-writes.js';
import { BusyError } from '../../src/core/errors.js';
import { recover } from '../../src/control/recovery.js';
import { isActive, type RunRecord } from '../../src/core/run.js';
import { snapshotOf } from '../helpers/fake-executor.js';
import { ControlBed, type ControlStores } from '../helpers/control-bed.js';
import { sampleRun, sampleSnapshot } from '../store/samples.js';

/** How the database of the test is. */
type Mood = 'there' | 'away' | 'does it, and goes away';

let mood: Mood;
let bed: ControlBed;
let writes: PendingWrites;
let stores: ControlStores;
const refused: unknown[] = [];

beforeEach(async () => {
  mood = 'there';
  refused.length = 0;
  writes = new PendingWrites((_, error) => void refused.push(error));
  bed = await ControlBed.open({ hosts: ['web1', 'web2'], between });
});
afterEach(() => bed.close());

function between({ runs, snapshots }: ControlStores): ControlStores {
  stores = {
    runs: durableRuns(moody(runs), writes),
    snapshots: durableSnapshots(moody(snapshots), writes),
  };
  return stores;
}

/** A store whose database is as `mood` says. */
function moody<T extends object>(store: T): T {
  return new Proxy(store, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        const away = new BusyError('DATABASE_UNAVAILABLE', { database: 'db', detail: 'gone' });
        if (mood === 'away') throw away;
        const answer = await method(...args);
        if (mood === 'there' || (name !== 'add' && name !== 'move')) return answer;
        mood = 'away';
        throw away;
      };
    },
  });
}

const backup = (host: string) => ({ host, type: 'auto', requestId: null }) as const;

describe('while the database is away', () => {
  it('a backup ends, and is recorded in order, once, when it is back', async () => {
    const { id } = await bed.lifecycle.trigger(backup('web1'));
    const backingUp = await bed.parts.executor.next();
    const end = endOf(id);
    mood = 'away';
    const snapshot = snapshotOf(backingUp.task, bed.clock.now());
    backingUp.finish({ snapshot });
    const ended = await end;
    expect(ended).toMatchObject({ state: 'SUCCEEDED', snapshot: snapshot.name });
    expect(bed.parts.catalog.snapshots('web1')).toEqual([snapshot]);
    expect(bed.lifecycle.isBusy('web1')).toBe(false);
    expect(writes.count).toBe(2);
    await expect(bed.lifecycle.get(id)).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });

    mood = 'there';
    expect(await bed.lifecycle.get(id)).toEqual(ended);
    expect(writes.count).toBe(0);
    expect(await bed.lifecycle.list({})).toHaveLength(1);
    await bed.parts.catalog.load();
    expect(bed.parts.catalog.snapshots('web1')).toEqual([snapshot]);
    expect([...bed.errors, ...refused]).toEqual([]);
  });

  it('a backup can be cancelled', async () => {
    const { id } = await bed.lifecycle.trigger(backup('web1'));
    const running = await bed.parts.executor.next();
    const end = endOf(id);
    mood = 'away';
    running.obeyCancel();
    expect((await bed.lifecycle.cancel(id)).state).toBe('CANCELLING');
    const ended = await end;
    expect(ended.state).toBe('CANCELLED');
    mood = 'there';
    expect(await bed.lifecycle.get(id)).toEqual(ended);
  });

  it.each<Mood>(['away', 'does it, and goes away'])(
    'none is taken, and nothing is left of it: %s',
    async (how) => {
      mood = how;
      const wanted = { ...backup('web1'), requestId: 'nightly' };
      await expect(bed.lifecycle.trigger(wanted)).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
      expect(bed.lifecycle.isBusy('web1')).toBe(false);
      mood = 'there';
      expect(await bed.lifecycle.list({})).toEqual([]);
      const { id } = await bed.lifecycle.trigger(wanted);
      expect((await bed.parts.executor.next()).task.runId).toBe(id);
    },
  );

  it.each<Mood>(['away', 'does it, and goes away'])('one that waits goes on waiting: %s', async (how) => {
    bed.lifecycle.hold();
    const { id } = await bed.lifecycle.trigger(backup('web1'));
    mood = how;
    bed.lifecycle.goOn();
    await settled();
    expect((await bed.lifecycle.get(id)).state).toBe('QUEUED');
    expect(bed.lifecycle.counts()).toEqual({ queued: 1, running: 0 });
    mood = 'there';
    await writes.flush();
    bed.lifecycle.goOn();
    expect((await bed.parts.executor.next()).task.runId).toBe(id);
    expect((await bed.parts.runs.get(id))?.state).toBe('RUNNING');
    expect(bed.errors).toEqual([]);
  });

  it('the daemon can stop, and the next start finds on the disk what was not recorded', async () => {
    const { id } = await bed.lifecycle.trigger(backup('web1'));
    const backingUp = await bed.parts.executor.next();
    mood = 'away';
    const stopped = bed.lifecycle.stop(new AbortController().signal);
    const snapshot = snapshotOf(backingUp.task, bed.clock.now());
    backingUp.finish({ snapshot });
    await stopped;
    await expect(writes.flush()).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });

    mood = 'there';
    bed = await bed.reopen({ hosts: ['web1', 'web2'] });
    bed.onDisk.push(snapshot);
    expect(await bed.parts.runs.get(id)).toMatchObject({ state: 'RUNNING', snapshot: null });
    const nextRevision = (): number => bed.parts.events.nextRevision();
    expect(await recover({ ...bed.parts, nextRevision })).toMatchObject([
      { id, state: 'SUCCEEDED', snapshot: snapshot.name },
    ]);
    expect(bed.parts.catalog.snapshots('web1')).toEqual([snapshot]);
  });
});

describe('writes that wait', () => {
  it('are what the snapshots that are recorded and forgotten wait for', async () => {
    mood = 'away';
    await stores.snapshots.remove('web1', 'any');
    await expect(stores.snapshots.settled()).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    mood = 'there';
    await stores.snapshots.settled();
    expect(writes.count).toBe(0);
  });

  it('are made in their order, by all who come at the same time once', async () => {
    const made: number[] = [];
    let isAway = true;
    const write = (number: number) => () => {
      if (isAway) throw new BusyError('DATABASE_UNAVAILABLE', { database: 'db', detail: 'gone' });
      return Promise.resolve(made.push(number));
    };
    for (const number of [1, 2, 3]) expect(await writes.keep(async () => write(number)(), 0)).toBe(0);
    await expect(writes.after(async () => 'never')).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    isAway = false;
    const readers = Array.from({ length: 5 }, () => writes.after(async () => [...made]));
    expect(await writes.keep(async () => write(4)(), 0)).toBe(0);
    for (const seen of await Promise.all(readers)) expect(seen).toEqual([1, 2, 3, 4]);
  });

  it('do not stand in the way when the database refuses one of them', async () => {
    const { runs, snapshots } = stores;
    await runs.add(sampleRun(1, { state: 'RUNNING' }));
    mood = 'away';
    await snapshots.put({ ...sampleSnapshot('2026-11-22_20-00-05f'), missingFileCount: null as never });
    expect(await runs.move(sampleRun(1).id, ['RUNNING'], 'FAILED', 9, {})).toBe(true);
    mood = 'there';
    expect((await runs.get(sampleRun(1).id))?.state).toBe('FAILED');
    expect(refused).toHaveLength(1);
  });
});

/** The run as those hear of it who watch since before its end. */
async function endOf(runId: string): Promise<RunRecord> {
  const stop = new AbortController();
  try {
    const changes = bed.parts.events.watch({ afterRevision: 0, host: null, runId }, stop.signal);
    for await (const { run } of changes) if (!isActive(run.state)) return run;
  } finally {
    stop.abort();
  }
  throw new Error('the watch ended before the run did');
}

/** Lets everything go as far as it can. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
