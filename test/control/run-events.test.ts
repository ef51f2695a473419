import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunEvents, type RunView, type WatchOptions } from '../../src/control/run-events.js';
import type { RunRecord, RunState } from '../../src/core/run.js';
import { ControlBed } from '../helpers/control-bed.js';
import { runId, sampleRun } from '../store/samples.js';

const all: WatchOptions = { afterRevision: 0, host: null, runId: null };

let bed: ControlBed;
let events: RunEvents;
let stop: AbortController;
beforeEach(async () => {
  bed = await ControlBed.open();
  events = bed.parts.events;
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await bed.close();
});

/** Changes a run as the lifecycle does: first in the database, then for those who watch. */
async function change(run: RunRecord, state: Exclude<RunState, 'QUEUED'>): Promise<RunRecord> {
  const revision = events.nextRevision();
  await bed.parts.runs.move(run.id, [run.state], state, revision, {});
  const changed = { ...run, state, revision };
  events.publish({ run: changed, progress: null });
  return changed;
}

async function add(number: number, changes: Partial<RunRecord> = {}): Promise<RunRecord> {
  const run = sampleRun(number, { state: 'RUNNING', revision: events.nextRevision(), ...changes });
  await bed.parts.runs.add(run);
  return run;
}

function watch(
  options: Partial<WatchOptions> = {},
  active: readonly RunRecord[] = [],
): AsyncGenerator<RunView> {
  return events.watch({ ...all, ...options }, stop.signal, () =>
    active.map((run) => ({ run, progress: null })),
  );
}

async function next(watching: AsyncGenerator<RunView>): Promise<string> {
  const { value, done } = await watching.next();
  return done ? 'end' : `${value.run.id.slice(-1)} ${value.run.state}`;
}

describe('a watcher', () => {
  it('gets first what has not ended, then the changes', async () => {
    const run = await add(1);
    await add(2, { state: 'FAILED' });
    const watching = watch({}, [run]);
    expect(await next(watching)).toBe('1 RUNNING');
    await change(run, 'SUCCEEDED');
    expect(await next(watching)).toBe('1 SUCCEEDED');
  });

  it('that is slow gets the first and the last of many values, and none is kept in between', async () => {
    const run = await add(1);
    const watching = watch({}, [run]);
    expect(await next(watching)).toBe('1 RUNNING');
    const waiting = watching.next();
    for (let percent = 1; percent <= 1000; percent++) {
      const changed = { ...run, typeReason: `value ${percent}`, revision: events.nextRevision() };
      events.publish({ run: changed, progress: null });
    }
    const got = [await waiting];
    await change(run, 'SUCCEEDED');
    got.push(await watching.next());
    const shown = got.map(({ value }: IteratorResult<RunView, void>) => value?.run);
    expect(shown.map((seen) => seen?.state)).toEqual(['RUNNING', 'SUCCEEDED']);
    expect(shown[0]?.typeReason).toBe('value 1000');
  });

  it('that reads nothing holds one value a run, the newest', async () => {
    const [a, b] = [await add(1), await add(2)];
    const watching = watch({}, [a]);
    expect(await next(watching)).toBe('1 RUNNING');
    for (let count = 0; count < 1000; count++) {
      for (const run of [a, b]) {
        events.publish({ run: { ...run, revision: events.nextRevision() }, progress: null });
      }
    }
    const last = await change(a, 'FAILED');
    const rest: string[] = [];
    for (let count = 0; count < 2; count++) rest.push(await next(watching));
    expect(rest).toEqual(['2 RUNNING', '1 FAILED']);
    const after = watching.next();
    const later = await change(b, 'SUCCEEDED');
    expect(later.revision).toBeGreaterThan(last.revision);
    expect((await after).value).toMatchObject({ run: { id: b.id, state: 'SUCCEEDED' } });
  });

  it('gets what its options name, and nothing else', async () => {
    const [a, b] = [await add(1, { host: 'a' }), await add(2, { host: 'b' })];
    const ofHost = watch({ host: 'b' }, [a, b]);
    const ofRun = watch({ runId: a.id }, [a, b]);
    expect([await next(ofHost), await next(ofRun)]).toEqual(['2 RUNNING', '1 RUNNING']);
    await change(a, 'FAILED');
    await change(b, 'SUCCEEDED');
    expect([await next(ofHost), await next(ofRun)]).toEqual(['2 SUCCEEDED', '1 FAILED']);
  });

  it('that comes back gets what ended meanwhile, once, the oldest change first', async () => {
    const runs = [await add(1), await add(2), await add(3)] as const;
    await change(runs[0], 'SUCCEEDED');
    const seen = events.nextRevision();
    await change(runs[2], 'FAILED');
    await change(runs[1], 'CANCELLING');
    const watching = watch({ afterRevision: seen }, [
      { ...runs[1], state: 'CANCELLING', revision: seen + 2 },
    ]);
    expect([await next(watching), await next(watching)]).toEqual(['3 FAILED', '2 CANCELLING']);
    const after = watching.next();
    await add(4);
    events.publish({
      run: sampleRun(4, { state: 'RUNNING', revision: events.nextRevision() }),
      progress: null,
    });
    expect((await after).value).toMatchObject({ run: { id: runId(4) } });
  });

  it('that comes back gets what has not ended too, though nothing of it has changed', async () => {
    const run = await add(1);
    await add(2, { state: 'FAILED' });
    const watching = watch({ afterRevision: events.nextRevision() }, [run]);
    expect(await next(watching)).toBe('1 RUNNING');
    await change(run, 'FAILED');
    expect(await next(watching)).toBe('1 FAILED');
  });

  it('ends when it is aborted, before, while and after it waits', async () => {
    const run = await add(1);
    const watching = watch({}, [run]);
    expect(await next(watching)).toBe('1 RUNNING');
    const waiting = next(watching);
    stop.abort();
    expect(await waiting).toBe('end');
    expect(await next(watch({}, []))).toBe('end');
  });

  it('misses no end that falls into its beginning', async () => {
    for (let round = 1; round <= 60; round++) {
      const active = new Map<string, RunRecord>();
      const run = await add(round);
      active.set(run.id, run);
      const seen = events.nextRevision();
      const end = async (): Promise<void> => {
        // Another point of the beginning in each round.
        for (let turn = 0; turn < round % 12; turn++) await Promise.resolve();
        if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        active.set(run.id, await change(run, 'SUCCEEDED'));
        active.delete(run.id);
      };
      const stopRound = new AbortController();
      const options = { ...all, runId: run.id, afterRevision: seen };
      const watching = events.watch(options, stopRound.signal, () =>
        [...active.values()].map((record) => ({ run: record, progress: null })),
      );
      const ended = end();
      const states: RunState[] = [];
      for await (const view of watching) {
        states.push(view.run.state);
        if (view.run.state === 'SUCCEEDED') break;
      }
      await ended;
      stopRound.abort();
      expect(states.at(-1)).toBe('SUCCEEDED');
      expect(states.length).toBeLessThanOrEqual(2);
    }
  });
});

describe('revisions', () => {
  it('grow, and go on above those of the database and of the clock', async () => {
    const [first, second] = [events.nextRevision(), events.nextRevision()];
    expect(second).toBeGreaterThan(first);
    expect(Number.isSafeInteger(second * 2)).toBe(true);
    await add(1, { revision: first + 1_000_000 });
    await events.start();
    expect(events.nextRevision()).toBeGreaterThan(first + 1_000_000);
  });

  it('grow over a restart with a clock that was set back, so that who resumes misses nothing', async () => {
    const run = await add(1);
    let told = 0;
    for (let count = 0; count < 1000; count++) told = events.nextRevision();
    const clock = { now: () => new Date('2001-01-01T00:00:00Z') };
    const restarted = new RunEvents(bed.parts.runs, clock);
    await restarted.start();
    await bed.parts.runs.move(run.id, ['RUNNING'], 'INTERRUPTED', restarted.nextRevision(), {});
    const resumed = restarted.watch({ ...all, afterRevision: told }, stop.signal);
    expect(await next(resumed)).toBe('1 INTERRUPTED');
  });

  it('that a daemon had given and told nobody of when it died are not missed by who resumes', async () => {
    const run = await add(1);
    const revision = events.nextRevision();
    const told = events.nextRevision();
    await bed.parts.runs.move(run.id, ['RUNNING'], 'SUCCEEDED', revision, {});
    const restarted = new RunEvents(bed.parts.runs, bed.clock);
    await restarted.start();
    expect(await next(restarted.watch({ ...all, afterRevision: told }, stop.signal))).toBe('1 SUCCEEDED');
  });
});
