import { describe, expect, it } from 'vitest';
import { DueRules, type DueDecision, type DueFacts } from '../../src/core/due.js';
import { BusyError } from '../../src/core/errors.js';
import type { Host } from '../../src/core/host.js';
import type { RunRecord } from '../../src/core/run.js';
import { noTransfer, snapshotName, type SnapshotRecord } from '../../src/core/snapshot.js';
import { sampleHost } from '../helpers/sample-host.js';

const dayMs = 86_400_000;

function snapshotAt(time: string, type: SnapshotRecord['type'] = 'incremental'): SnapshotRecord {
  const startedAt = new Date(time);
  return {
    host: 'web1',
    name: snapshotName(startedAt, type),
    type,
    outcome: 'SUCCEEDED',
    path: '/srv/backup/web1/x',
    startedAt,
    committedAt: startedAt,
    runId: 'r',
    linkBases: [],
    sources: ['/etc'],
    stats: noTransfer,
    missingFileCount: 0,
    heldFor: [],
    manifest: null,
    verifiedAt: null,
    damagedFileCount: 0,
  };
}

function runAt(
  time: string,
  state: RunRecord['state'],
  reason: 'CANCELLED' | 'CANCELLED_BY_STOP' | 'DISK_FULL',
): RunRecord {
  const at = new Date(time);
  return {
    id: 'r',
    kind: 'backup',
    host: 'web1',
    state,
    requestedType: 'auto',
    type: 'full',
    typeReason: '',
    createdAt: at,
    startedAt: at,
    endedAt: at,
    snapshot: null,
    error: new BusyError(reason, { by: 'on request', detail: 'x' }).toFailure(),
    jobs: [],
    verification: null,
    archiving: null,
    restore: null,
    drill: null,
    requestId: null,
    isScheduled: false,
    acceptsChanges: false,
    revision: 1,
  };
}

function hostOn(slots: string[] | 'never', changes: Partial<Host> = {}, timeZone = 'UTC'): Host {
  return sampleHost({ schedule: { slots, timeZone, catchUpMs: dayMs, jitterMs: 0 }, ...changes });
}

function decide(now: string, facts: Partial<DueFacts> & { host: Host }): DueDecision {
  return new DueRules().decide({
    snapshots: [],
    lastRun: null,
    failuresInRow: 0,
    now: new Date(now),
    ...facts,
  });
}

describe('without a schedule a host', () => {
  const host = hostOn([]);

  it('is due when there is no snapshot', () => {
    expect(decide('2026-06-10T12:00:00Z', { host })).toMatchObject({
      isDue: true,
      isOnSchedule: true,
      overdue: Infinity,
    });
  });

  it('is due exactly when the youngest snapshot is max_age_incr days old', () => {
    const snapshots = [snapshotAt('2026-06-09T12:00:00Z')];
    expect(decide('2026-06-10T11:59:59.999Z', { host, snapshots })).toMatchObject({
      isDue: false,
      nextAt: new Date('2026-06-10T12:00:00Z'),
    });
    expect(decide('2026-06-10T12:00:00Z', { host, snapshots })).toMatchObject({ isDue: true, overdue: 1 });
  });
});

describe('with a schedule a host', () => {
  const host = hostOn(['14:00']);
  const snapshots = [snapshotAt('2026-06-09T14:00:07Z')];

  it('is due at its time, although the last backup started a little later than its time', () => {
    expect(decide('2026-06-10T13:59:59Z', { host, snapshots }).isDue).toBe(false);
    expect(decide('2026-06-10T14:00:00Z', { host, snapshots }).isDue).toBe(true);
  });

  it('is not due again when the backup for that time was made', () => {
    const made = [snapshotAt('2026-06-10T14:00:09Z'), ...snapshots];
    expect(decide('2026-06-10T18:00:00Z', { host, snapshots: made })).toMatchObject({
      isDue: false,
      nextAt: new Date('2026-06-11T14:00:00Z'),
    });
  });

  it('is not due at its time when the youngest snapshot was too young then, nor later that day', () => {
    const byHand = [snapshotAt('2026-06-10T10:00:00Z')];
    const twice = hostOn(['14:00'], { maxAgeIncr: 1 });
    // Counted from its slot of the day before, the one made by hand at 10:00 stands for 14:00 of yesterday.
    expect(decide('2026-06-10T14:00:00Z', { host: twice, snapshots: byHand }).isDue).toBe(true);
    const hourly = hostOn(['0 * * * *']);
    expect(decide('2026-06-10T14:00:00Z', { host: hourly, snapshots: byHand }).isDue).toBe(false);
    expect(decide('2026-06-11T09:00:00Z', { host: hourly, snapshots: byHand }).isDue).toBe(false);
    expect(decide('2026-06-11T10:00:00Z', { host: hourly, snapshots: byHand }).isDue).toBe(true);
  });

  it('catches up a missed time, and only within catch_up', () => {
    const old = [snapshotAt('2026-06-01T14:00:00Z')];
    const narrow = hostOn(['14:00'], {
      schedule: { slots: ['14:00'], timeZone: 'UTC', catchUpMs: 3_600_000, jitterMs: 0 },
    });
    expect(decide('2026-06-10T23:00:00Z', { host, snapshots: old }).isDue).toBe(true);
    expect(decide('2026-06-10T15:00:00Z', { host: narrow, snapshots: old }).isDue).toBe(true);
    expect(decide('2026-06-10T15:00:01Z', { host: narrow, snapshots: old })).toMatchObject({
      isDue: false,
      isOnSchedule: false,
      nextAt: new Date('2026-06-11T14:00:00Z'),
    });
  });

  it('is backed up every day also when a day has 23 or 25 hours', () => {
    const berlin = hostOn(['14:00'], {}, 'Europe/Berlin');
    const beforeSpring = [snapshotAt('2026-03-28T13:00:05Z')];
    expect(decide('2026-03-29T12:00:00Z', { host: berlin, snapshots: beforeSpring }).isDue).toBe(true);
    const beforeAutumn = [snapshotAt('2026-10-24T12:00:05Z')];
    expect(decide('2026-10-25T12:59:00Z', { host: berlin, snapshots: beforeAutumn }).isDue).toBe(false);
    expect(decide('2026-10-25T13:00:00Z', { host: berlin, snapshots: beforeAutumn }).isDue).toBe(true);
  });

  it('runs later by its jitter, every day by the same', () => {
    const spread = hostOn(['14:00'], {
      schedule: { slots: ['14:00'], timeZone: 'UTC', catchUpMs: dayMs, jitterMs: 3_600_000 },
    });
    const firstDue = (day: string): number => {
      const before = [snapshotAt(`2026-06-0${Number(day) - 1}T15:30:00Z`)];
      for (let minute = 0; minute < 61; minute++) {
        const now = new Date(Date.parse(`2026-06-0${day}T14:00:00Z`) + minute * 60_000).toISOString();
        if (decide(now, { host: spread, snapshots: before }).isDue) return minute;
      }
      return -1;
    };
    expect(firstDue('5')).toBeGreaterThan(0);
    expect(firstDue('6')).toBe(firstDue('5'));
  });

  it('counts the age of the youngest full one from time to time too', () => {
    const nightly = hostOn(['22:00'], { maxAgeFull: 7 });
    const full = snapshotAt('2026-06-01T22:00:09Z', 'full');
    const typeAt = (now: string, made: SnapshotRecord[]): string =>
      decide(now, { host: nightly, snapshots: made }).type.type;
    expect(typeAt('2026-06-08T22:00:00Z', [snapshotAt('2026-06-07T22:00:05Z'), full])).toBe('full');
    expect(typeAt('2026-06-07T22:00:30Z', [snapshotAt('2026-06-06T22:00:05Z'), full])).toBe('incremental');
  });

  it('says for which time a snapshot stands', () => {
    const { reasons } = decide('2026-06-10T14:00:05Z', {
      host,
      snapshots: [snapshotAt('2026-06-10T13:50:00Z')],
    });
    expect(reasons.join()).toContain('stands for 2026-06-09T14:00:00Z, 1 days before');
  });

  it('that failed is tried again until its next time, also without catch_up', () => {
    const strict = hostOn(['14:00'], {
      retryAfterMs: 300_000,
      schedule: { slots: ['14:00'], timeZone: 'UTC', catchUpMs: 0, jitterMs: 0 },
    });
    const failed = { host: strict, snapshots, lastRun: runAt('2026-06-10T14:00:02Z', 'FAILED', 'DISK_FULL') };
    expect(decide('2026-06-10T14:04:00Z', { ...failed, failuresInRow: 1 }).isDue).toBe(false);
    expect(decide('2026-06-10T14:05:02Z', { ...failed, failuresInRow: 1 }).isDue).toBe(true);
    expect(decide('2026-06-10T14:05:02Z', { ...failed, lastRun: null }).isDue).toBe(false);
  });

  it('of never is never due, and says so', () => {
    const decision = decide('2026-06-10T14:00:00Z', { host: hostOn('never') });
    expect(decision).toMatchObject({ isDue: false, nextAt: null });
    expect(decision.reasons.join()).toContain('only by hand');
  });
});

describe('after a failure a host', () => {
  const host = hostOn([], { retryAfterMs: 300_000 });
  const lastRun = runAt('2026-06-10T12:00:00Z', 'FAILED', 'DISK_FULL');

  it.each([
    [1, '2026-06-10T12:05:00.000Z'],
    [2, '2026-06-10T12:10:00.000Z'],
    [4, '2026-06-10T12:40:00.000Z'],
    [20, '2026-06-10T16:00:00.000Z'],
  ])('waits longer with each one in a row: %i', (failuresInRow, again) => {
    const before = new Date(Date.parse(again) - 1).toISOString();
    const waiting = decide(before, { host, lastRun, failuresInRow });
    expect([waiting.isDue, waiting.nextAt?.toISOString()]).toEqual([false, again]);
    expect(decide(again, { host, lastRun, failuresInRow }).isDue).toBe(true);
  });

  it('is tried at once when only the daemon was stopped', () => {
    const stopped = runAt('2026-06-10T12:00:00Z', 'CANCELLED', 'CANCELLED_BY_STOP');
    expect(decide('2026-06-10T12:00:01Z', { host, lastRun: stopped }).isDue).toBe(true);
  });

  it('waits for nothing when that lies in the future, since the clock was wrong then', () => {
    for (const state of ['FAILED', 'CANCELLED'] as const) {
      const ahead = runAt('2026-06-11T12:00:00Z', state, state === 'FAILED' ? 'DISK_FULL' : 'CANCELLED');
      const facts = { host, lastRun: ahead, failuresInRow: 3 };
      expect(decide('2026-06-10T12:00:00Z', facts).isDue).toBe(true);
    }
  });

  it('is left alone when someone cancelled it, until its next time', () => {
    const cancelled = runAt('2026-06-10T14:00:30Z', 'CANCELLED', 'CANCELLED');
    const daily = hostOn(['14:00']);
    expect(decide('2026-06-10T20:00:00Z', { host: daily, lastRun: cancelled }).isDue).toBe(false);
    expect(decide('2026-06-11T14:00:00Z', { host: daily, lastRun: cancelled }).isDue).toBe(true);
    expect(decide('2026-06-11T14:00:00Z', { host, lastRun: cancelled }).isDue).toBe(false);
    expect(decide('2026-06-11T14:00:30Z', { host, lastRun: cancelled }).isDue).toBe(true);
    // Asked for while the clock was ahead.
    const ahead = { ...cancelled, createdAt: new Date('2026-06-13T14:00:00Z') };
    expect(decide('2026-06-11T14:00:00Z', { host: daily, lastRun: ahead }).isDue).toBe(true);
  });
});

it('a host whose window is closed waits for it, and says until when', () => {
  const host = hostOn([], { windows: ['22:00-06:00'] });
  const decision = decide('2026-06-10T12:00:00Z', { host });
  expect(decision).toMatchObject({
    isDue: false,
    isWindowOpen: false,
    nextAt: new Date('2026-06-10T22:00:00Z'),
  });
  expect(decision.reasons.at(-1)).toContain('window is closed');
  expect(decide('2026-06-10T22:00:00Z', { host }).isDue).toBe(true);
});

it('a host whose window will be closed at its next time waits for the opening after it', () => {
  const host = hostOn(['12:00'], { windows: ['22:00-06:00'] });
  const decision = decide('2026-06-10T11:00:00Z', { host, snapshots: [snapshotAt('2026-06-09T22:00:00Z')] });
  expect(decision).toMatchObject({
    isDue: false,
    nextAt: new Date('2026-06-10T22:00:00Z'),
    noUntil: new Date('2026-06-10T12:00:00Z'),
  });
});

describe('a snapshot that lies in the future', () => {
  const ahead = snapshotAt('2030-01-01T00:00:00Z', 'full');

  it.each([[[]], [['14:00']]])('stands for no backup, and is named: %j', (slots: string[]) => {
    const decision = decide('2026-06-10T14:00:00Z', { host: hostOn(slots), snapshots: [ahead] });
    expect(decision).toMatchObject({ isDue: true, type: { type: 'full' } });
    expect(decision.reasons[0]).toContain('in the future');
  });

  it('by a few hours counts: the clock was corrected', () => {
    const snapshots = [snapshotAt('2026-06-10T16:00:00Z')];
    expect(decide('2026-06-10T14:00:00Z', { host: hostOn([]), snapshots }).isDue).toBe(false);
  });
});

describe('a held snapshot', () => {
  const host = hostOn([]);
  const held = { code: 'SHRUNK', source: '/etc', message: 'it has shrunk' } as const;
  const snapshots = [
    { ...snapshotAt('2026-06-10T00:00:00Z'), heldFor: [held] },
    snapshotAt('2026-06-01T00:00:00Z', 'full'),
  ];

  it('counts for the age, so that the host is looked at each day and not without a pause', () => {
    const early = decide('2026-06-10T12:00:00Z', { host, snapshots });
    expect(early).toMatchObject({ isDue: false, nextAt: new Date('2026-06-11T00:00:00Z') });
    expect(early.reasons.join()).toContain('(held) is 0.5 days old');
    expect(decide('2026-06-11T00:00:00Z', { host, snapshots }).isDue).toBe(true);
  });

  it('lets no full one be made while it is the newest', () => {
    expect(decide('2026-06-12T00:00:00Z', { host, snapshots }).type).toMatchObject({ type: 'incremental' });
    const back = [snapshotAt('2026-06-11T00:00:00Z'), ...snapshots];
    expect(decide('2026-06-12T00:00:00Z', { host, snapshots: back }).type).toMatchObject({ type: 'full' });
  });
});
