import { afterEach, describe, expect, it, vi } from 'vitest';
import { Scheduler } from '../../src/control/scheduler.js';
import type { Presence } from '../../src/core/presence.js';
import type { RunRecord } from '../../src/core/run.js';
import { snapshotName } from '../../src/core/snapshot.js';
import { ControlBed } from '../helpers/control-bed.js';
import { snapshotOf } from '../helpers/fake-executor.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleSnapshot } from '../store/samples.js';
import { SchedulerBed, minuteMs } from '../helpers/scheduler-bed.js';

describe('what is due', () => {
  it('is started with its reason, the most overdue first, and what has no snapshot before all', async () => {
    const bed = new SchedulerBed(['day', 'new', 'week', 'fresh']);
    bed.snapshotAge('day', 1.5).snapshotAge('week', 7).snapshotAge('fresh', 0.5);
    await bed.scheduler.look();
    expect(bed.triggered).toEqual(['new', 'week', 'day']);
    expect(bed.requests.map(({ urgency }) => urgency)).toEqual([Infinity, 7, 1.5]);
    expect(bed.requests[1]).toMatchObject({ type: 'auto', requestId: null });
    expect(bed.requests[1]?.why).toMatch(/there is no schedule, .*; the youngest snapshot \S+ is 7 days old/);
  });

  it('is measured by what each host wants: two days are worse for one that wants two a day', async () => {
    const bed = new SchedulerBed(['weekly', 'often'], {
      often: { maxAgeIncr: 0.5 },
      weekly: { maxAgeIncr: 7 },
    });
    bed.snapshotAge('weekly', 10).snapshotAge('often', 2);
    await bed.scheduler.look();
    expect(bed.triggered).toEqual(['often', 'weekly']);
  });

  it('is not asked for while it has a run that has not ended', async () => {
    const bed = new SchedulerBed(['web1', 'web2']);
    bed.busy.add('web1');
    await bed.scheduler.look();
    expect(bed.asked).toEqual(['web2']);
  });

  it('is tried again later after each failure, at most four hours later', async () => {
    const bed = new SchedulerBed(['web1'], { web1: { retryAfterMs: 5 * minuteMs } });
    const waits: number[] = [];
    for (let failures = 1; failures <= 8; failures++) {
      bed.fail('web1', failures);
      const from = bed.now.getTime();
      bed.requests.length = 0;
      while (bed.requests.length === 0) {
        bed.advance(minuteMs);
        await bed.scheduler.look();
      }
      waits.push((bed.now.getTime() - from) / minuteMs);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 240, 240]);
  });
});

describe('a host that is only backed up by hand', () => {
  it('is due as soon as it has a schedule', async () => {
    const never = { slots: 'never', timeZone: 'UTC', catchUpMs: 0, jitterMs: 0 } as const;
    const bed = new SchedulerBed(['web1'], { web1: { schedule: never } });
    bed.snapshotAge('web1', 5);
    for (let look = 0; look < 3; look++) {
      await bed.scheduler.look();
      bed.advance(400 * 1440 * minuteMs);
    }
    expect(bed.asked).toEqual([]);
    bed.change('web1', {});
    await bed.scheduler.look();
    expect(bed.triggered).toEqual(['web1']);
  });
});

/** The loop turns once: what waits gets its turn. */
function turn(): Promise<null> {
  return new Promise((resolve) => setImmediate(() => resolve(null)));
}

describe('a look at many hosts', () => {
  it('lets calls of clients come between', async () => {
    const bed = new SchedulerBed(Array.from({ length: 1600 }, (_, index) => `host${index}`));
    const looking = bed.scheduler.due();
    let turns = 0;
    while ((await Promise.race([looking, turn()])) === null) turns += 1;
    expect(await looking).toHaveLength(1600);
    expect(turns).toBeGreaterThan(50);
  });
});

describe('a host that is away', () => {
  it('waits without a run and without an alarm, and is started at the first look after it appears', async () => {
    const bed = new SchedulerBed(['laptop', 'web1']);
    bed.offline.add('laptop');
    for (let look = 0; look < 100; look++) {
      await bed.scheduler.look();
      bed.succeed('web1').advance(20_000);
    }
    expect(bed.triggered).toEqual(['web1']);
    expect(bed.errors).toEqual([]);
    expect(bed.asked.filter((name) => name === 'laptop')).toHaveLength(100);
    bed.offline.delete('laptop');
    await bed.scheduler.look();
    expect(bed.triggered).toEqual(['web1', 'laptop']);
  });

  it('delays no other while its answer is waited for, also in the looks that follow', async () => {
    const bed = new SchedulerBed(['slow', 'web1', 'web2']);
    bed.snapshotAge('web2', 0.99);
    const answer = bed.holdAnswer('slow');
    const first = bed.scheduler.look();
    await bed.untilTriggered('web1');
    bed.succeed('web1').advance(20 * minuteMs);
    await bed.scheduler.look();
    expect(bed.triggered).toEqual(['web1', 'web2']);
    expect(bed.asked).toEqual(['slow', 'web1', 'web2']);
    answer(true);
    await first;
    expect(bed.triggered).toEqual(['web1', 'web2', 'slow']);
  });
});

describe('while a host is asked whether it is there', () => {
  it('looks that come together start it once', async () => {
    const bed = new SchedulerBed(['web1']);
    await Promise.all([bed.scheduler.look(), bed.scheduler.look(), bed.scheduler.look()]);
    expect(bed.triggered).toEqual(['web1']);
  });

  it('a backup by hand may begin and end: no second one follows', async () => {
    const bed = new SchedulerBed(['web1']);
    const answer = bed.holdAnswer('web1');
    const look = bed.scheduler.look();
    bed.succeed('web1');
    answer(true);
    await look;
    expect(bed.triggered).toEqual([]);
  });

  it('its settings may change: the new ones count', async () => {
    const bed = new SchedulerBed(['web1']);
    const answer = bed.holdAnswer('web1');
    const look = bed.scheduler.look();
    bed.change('web1', { schedule: { slots: 'never', timeZone: 'UTC', catchUpMs: 0, jitterMs: 0 } });
    answer(true);
    await look;
    expect(bed.triggered).toEqual([]);
  });

  it('it may be removed: nothing is started and nothing reported', async () => {
    const bed = new SchedulerBed(['gone', 'web1']);
    const answer = bed.holdAnswer('gone');
    const look = bed.scheduler.look();
    bed.remove('gone');
    answer(true);
    await look;
    expect(bed).toMatchObject({ triggered: ['web1'], errors: [] });
    await expect(bed.scheduler.explain('gone')).rejects.toMatchObject({ reason: 'HOST_NOT_FOUND' });
  });

  it('the daemon may stop: nothing is started any more', async () => {
    const bed = new SchedulerBed(['web1']);
    const answer = bed.holdAnswer('web1');
    const look = bed.scheduler.look();
    await bed.untilAsked('web1');
    await bed.scheduler.stop();
    answer(true);
    await look;
    await bed.scheduler.look();
    expect(bed).toMatchObject({ triggered: [], asked: ['web1'] });
  });
});

describe('over the real lifecycle and its limits', () => {
  it('all that is due is queued at once, and carried out the most overdue first', async () => {
    const bed = await ControlBed.open({ maxRunning: 1 });
    try {
      const days = { first: 99, fresh: 0.5, day: 1.5, week: 7, two: 2 };
      const { catalog, executor } = bed.parts;
      const schedule = { slots: [], timeZone: 'UTC', catchUpMs: 0, jitterMs: 0 };
      catalog.replaceHosts(Object.keys(days).map((name) => sampleHost({ name, schedule })));
      for (const [name, age] of Object.entries(days)) {
        const startedAt = new Date(bed.clock.now().getTime() - age * 86_400_000);
        await catalog.record(sampleSnapshot(snapshotName(startedAt, 'full'), { host: name, startedAt }));
      }
      const scheduler = schedulerOver(bed);
      await scheduler.look();
      expect(bed.lifecycle.counts()).toEqual({ queued: 3, running: 1 });
      await scheduler.look();
      expect(bed.lifecycle.counts()).toEqual({ queued: 3, running: 1 });
      const ended: RunRecord[] = [];
      while (ended.length < 4) {
        const backup = await executor.next();
        backup.finish({ snapshot: snapshotOf(backup.task, bed.clock.now()) });
        ended.push(await bed.ended(backup.task.runId));
      }
      expect(ended.map(({ host, state }) => [host, state])).toEqual(
        ['first', 'week', 'two', 'day'].map((host) => [host, 'SUCCEEDED']),
      );
      await scheduler.look();
      expect(bed.lifecycle.counts()).toEqual({ queued: 0, running: 0 });
      expect(bed.errors).toEqual([]);
    } finally {
      await bed.close();
    }
  });
});

describe('what goes wrong', () => {
  it('at one host is reported, hinders no other, and is tried again', async () => {
    const bed = new SchedulerBed(['web1', 'web2', 'web3']);
    bed.refusals.set('web1', new Error('database is locked'));
    await bed.scheduler.look();
    expect(bed.triggered).toEqual(['web2', 'web3']);
    expect(bed.errors).toMatchObject([
      ['a due backup could not be queued', { message: 'database is locked' }],
    ]);
    bed.refusals.clear();
    await bed.scheduler.look();
    expect(bed.triggered).toContain('web1');
  });

  it.each(['HOST_BUSY', 'DAEMON_STOPPING', 'HOST_NOT_FOUND'] as const)(
    'is nothing when someone else was faster: %s',
    async (reason) => {
      const bed = new SchedulerBed(['web1', 'web2']);
      bed.refuse('web1', reason);
      await bed.scheduler.look();
      expect(bed).toMatchObject({ triggered: ['web2'], errors: [] });
    },
  );

  it('with the look itself is reported, and the next one is not hindered', async () => {
    const bed = new SchedulerBed(['web1']);
    bed.clockFault = new Error('no time');
    await bed.scheduler.look();
    expect(bed.errors).toMatchObject([['a pass over the hosts failed', { message: 'no time' }]]);
    bed.clockFault = null;
    await bed.scheduler.look();
    expect(bed.triggered).toEqual(['web1']);
  });
});

describe('by itself', () => {
  afterEach(() => vi.useRealTimers());

  it('it looks at its start and then every 20 seconds, until it is stopped', async () => {
    vi.useFakeTimers({ now: new Date('2026-11-22T20:00:01Z') });
    const bed = new SchedulerBed(['laptop']);
    bed.offline.add('laptop');
    bed.scheduler.start();
    await vi.advanceTimersByTimeAsync(500);
    expect(bed.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bed.asked).toHaveLength(4);
    await bed.scheduler.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bed.asked).toHaveLength(4);
  });

  it('it goes on looking when the clock is set back by a day, and when it is set forward again', async () => {
    vi.useFakeTimers({ now: new Date('2026-11-22T20:00:01Z') });
    const bed = new SchedulerBed(['laptop']);
    bed.offline.add('laptop');
    bed.scheduler.start();
    await vi.advanceTimersByTimeAsync(25_000);
    for (const time of ['2026-11-21T20:00:00Z', '2026-11-22T20:10:00Z']) {
      vi.setSystemTime(new Date(time));
      await vi.advanceTimersByTimeAsync(60_000);
      bed.asked.length = 0;
      await vi.advanceTimersByTimeAsync(60_000);
      expect(bed.asked).toHaveLength(3);
    }
    await bed.scheduler.stop();
  });
});

describe('an explanation', () => {
  it('says what the host waits for', async () => {
    const bed = new SchedulerBed(['due', 'away', 'busy', 'fresh', 'by-hand'], {
      'by-hand': { schedule: { slots: 'never', timeZone: 'UTC', catchUpMs: 0, jitterMs: 0 } },
    });
    bed.offline.add('away');
    bed.busy.add('busy');
    bed.snapshotAge('fresh', 0.25);
    const waits = async (name: string): Promise<string> => (await bed.scheduler.explain(name)).waitsFor;
    expect(await waits('due')).toBe('');
    expect(await waits('away')).toBe('the host to come online');
    expect(await waits('busy')).toBe('its run to end');
    expect(await waits('fresh')).toBe('its time to come');
    expect(await waits('by-hand')).toBe('someone to start it by hand');
    expect(bed.triggered).toEqual([]);
  });
});

function schedulerOver({ parts, lifecycle, clock, errors }: ControlBed): Scheduler {
  const onError = (_: string, error: unknown): void => void errors.push(error);
  const { catalog } = parts;
  return new Scheduler({ clock, catalog, lifecycle, lookFor: async () => isThere, onError });
}

const isThere: Presence = { isOnline: true, reason: '' };
