import { describe, expect, test } from 'vitest';
import type { KeepRules } from '../../src/core/host.js';
import { judgeSnapshots, type RetentionDecision } from '../../src/core/retention.js';
import { snapshotName, type SnapshotRecord } from '../../src/core/snapshot.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleSnapshot } from '../rpc/samples.js';

const dayMs = 86_400_000;
const none: KeepRules = { last: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };

/** `2026-11-22T20:00Z`, followed by `f` for a full one by `?` for one with missing files, by `*` for one with damaged ones, by `!` for a held one. */
function made(text: string): SnapshotRecord {
  const startedAt = new Date(text.replace(/[f?*!]+$/, ''));
  const type = text.includes('f') ? 'full' : 'incremental';
  return {
    ...sampleSnapshot('web1', snapshotName(startedAt, type)),
    type,
    startedAt,
    outcome: text.includes('?') ? 'PARTIAL' : 'SUCCEEDED',
    damagedFileCount: text.includes('*') ? 2 : 0,
    heldFor: text.includes('!') ? [{ code: 'SHRUNK', source: '/etc', message: 'it has shrunk' }] : [],
  };
}

/** The start of each snapshot is its day and hour. */
function shown({ startedAt }: SnapshotRecord): string {
  return startedAt.toISOString().slice(0, 13);
}

interface Case {
  readonly keep: Partial<KeepRules> | null;
  readonly timeZone?: string;
  readonly failuresInRow?: number;
}

function judge(
  snapshots: readonly SnapshotRecord[],
  { keep, timeZone = 'UTC', ...facts }: Case,
): RetentionDecision {
  const host = sampleHost({
    keep: keep && { ...none, ...keep },
    schedule: { slots: [], timeZone, catchUpMs: 0, jitterMs: 0 },
  });
  return judgeSnapshots({ host, snapshots, failuresInRow: 0, ...facts });
}

function kept(decision: RetentionDecision): string[] {
  return decision.verdicts.filter(({ isKept }) => isKept).map(({ snapshot }) => shown(snapshot));
}

function reasonOf(decision: RetentionDecision, start: string): string {
  return decision.verdicts.find(({ snapshot }) => shown(snapshot) === start)?.reason ?? 'no such snapshot';
}

/** One a day at 20:00, newest first, for so many days; every tenth is full, the oldest too. */
function daily(days: number): SnapshotRecord[] {
  const first = Date.UTC(2026, 0, 1, 20);
  return Array.from({ length: days }, (_, index) =>
    made(`${new Date(first + index * dayMs).toISOString()}${index % 10 === 0 ? 'f' : ''}`),
  ).toReversed();
}

describe('what keep names', () => {
  test('without keep all are kept, for ever', () => {
    const decision = judge(daily(400), { keep: null });
    expect(kept(decision)).toHaveLength(400);
    expect(decision.verdicts[399]?.reason).toBe('the host has no keep, so nothing of it is ever removed');
  });

  test('last keeps so many of the newest, and the youngest full one though it is older', () => {
    const decision = judge(daily(19), { keep: { last: 3 } });
    expect(kept(decision)).toEqual(['2026-01-19T20', '2026-01-18T20', '2026-01-17T20', '2026-01-11T20']);
    expect(reasonOf(decision, '2026-01-19T20')).toBe('the newest, the newest whole one, one of the last 3');
    expect(reasonOf(decision, '2026-01-11T20')).toBe('the youngest full one');
    expect(reasonOf(decision, '2026-01-16T20')).toBe('no rule keeps it');
  });

  test('daily keeps the newest of a day, and says of the others which one stands for it', () => {
    const snapshots = [
      '2026-03-02T20:00Zf',
      '2026-03-02T08:00Z',
      '2026-03-01T20:00Z',
      '2026-03-01T08:00Z',
    ].map(made);
    const decision = judge(snapshots, { keep: { daily: 2 } });
    expect(kept(decision)).toEqual(['2026-03-02T20', '2026-03-01T20']);
    expect(reasonOf(decision, '2026-03-01T20')).toBe('daily for the day 2026-03-01');
    expect(reasonOf(decision, '2026-03-01T08')).toBe(
      `no rule keeps it; ${snapshots[2]?.name} is kept for its day`,
    );
  });

  test('days, weeks, months and years together keep a pyramid', () => {
    const decision = judge(daily(500), { keep: { daily: 3, weekly: 2, monthly: 3, yearly: 2 } });
    // 500 days from 1 January 2026 end on Saturday 15 May 2027.
    expect(kept(decision)).toEqual([
      '2027-05-15T20',
      '2027-05-14T20',
      '2027-05-13T20',
      '2027-05-09T20',
      '2027-05-06T20',
      '2027-04-30T20',
      '2027-03-31T20',
      '2026-12-31T20',
    ]);
    expect(reasonOf(decision, '2027-05-15T20')).toContain('weekly for the week from 2027-05-10');
    expect(reasonOf(decision, '2027-05-09T20')).toBe('weekly for the week from 2027-05-03');
    expect(reasonOf(decision, '2026-12-31T20')).toBe('yearly for the year 2026');
    expect(reasonOf(decision, '2026-06-15T20')).toBe(
      'no rule keeps it; its day is older than the 3 of daily; its week is older than the 2 of weekly; ' +
        `its month is older than the 3 of monthly; ${made('2026-12-31T20:00Z').name} is kept for its year`,
    );
  });

  test('a period without a snapshot does not count: a host that was away keeps what it has', () => {
    const snapshots = ['2026-11-22T20:00Zf', '2025-05-02T20:00Z', '2024-01-03T20:00Z'].map(made);
    expect(kept(judge(snapshots, { keep: { daily: 3 } }))).toHaveLength(3);
  });

  test('days are those of the time zone of the host', () => {
    const snapshots = ['2026-07-02T21:30Zf', '2026-07-01T22:30Z', '2026-07-01T21:30Z'].map(made);
    expect(kept(judge(snapshots, { keep: { daily: 2 } }))).toEqual(['2026-07-02T21', '2026-07-01T22']);
    // In Berlin it is 00:30 on 2 July at 22:30 UTC on 1 July.
    expect(kept(judge(snapshots, { keep: { daily: 2 }, timeZone: 'Europe/Berlin' }))).toEqual([
      '2026-07-02T21',
      '2026-07-01T21',
    ]);
  });

  test('weeks begin on Monday, also over the new year', () => {
    const snapshots = [
      '2027-01-04T20:00Zf',
      '2027-01-03T20:00Z',
      '2026-12-28T20:00Z',
      '2026-12-27T20:00Z',
    ].map(made);
    expect(kept(judge(snapshots, { keep: { weekly: 3 } }))).toEqual([
      '2027-01-04T20',
      '2027-01-03T20',
      '2026-12-27T20',
    ]);
  });
});

describe('what is never removed', () => {
  test('the last good one, though all that are newer lack files', () => {
    const snapshots = [
      '2026-03-04T20:00Z?',
      '2026-03-03T20:00Z?',
      '2026-03-02T20:00Z',
      '2026-03-01T20:00Zf?',
    ].map(made);
    const decision = judge(snapshots, { keep: { last: 1 } });
    expect(kept(decision)).toEqual(['2026-03-04T20', '2026-03-02T20', '2026-03-01T20']);
    expect(reasonOf(decision, '2026-03-02T20')).toBe('the newest whole one');
  });

  test('one with damaged files never stands for a whole one, so the last good one stays', () => {
    const snapshots = [
      '2026-03-04T20:00Zf*',
      '2026-03-03T20:00Z*',
      '2026-03-02T20:00Z',
      '2026-03-02T08:00Z',
      '2026-03-01T20:00Z*',
      '2026-03-01T08:00Z',
    ].map(made);
    const decision = judge(snapshots, { keep: { last: 1 } });
    expect(kept(decision)).toEqual(['2026-03-04T20', '2026-03-02T20']);
    expect(reasonOf(decision, '2026-03-02T20')).toBe('the newest whole one');
    expect(kept(judge(snapshots, { keep: { daily: 4 } }))).toContain('2026-03-01T08');
  });

  test('a whole one stands for its day rather than a newer one with missing files', () => {
    const snapshots = [
      '2026-03-03T20:00Zf',
      '2026-03-02T20:00Z?',
      '2026-03-02T08:00Z',
      '2026-03-01T08:00Z?',
    ].map(made);
    expect(kept(judge(snapshots, { keep: { daily: 3 } }))).toEqual([
      '2026-03-03T20',
      '2026-03-02T08',
      '2026-03-01T08',
    ]);
  });

  test('anything, while the newest backup failed; the verdict says what would go otherwise', () => {
    const decision = judge(daily(30), { keep: { last: 1 }, failuresInRow: 1 });
    expect(kept(decision)).toHaveLength(30);
    expect(decision.frozen).toBe('the newest backup failed, and until one succeeds nothing is removed');
    expect(reasonOf(decision, '2026-01-05T20')).toBe(`${decision.frozen} (no rule keeps it)`);
  });

  test('the only snapshot there is', () => {
    expect(kept(judge([made('2020-01-01T20:00Z?')], { keep: { last: 1 } }))).toEqual(['2020-01-01T20']);
    expect(judge([], { keep: { last: 1 } }).verdicts).toEqual([]);
  });

  test('whatever happens, pruning day by day never leaves fewer whole ones than were promised', () => {
    let left: SnapshotRecord[] = [];
    for (const snapshot of daily(400).toReversed()) {
      const decision = judge([snapshot, ...left], { keep: { daily: 7, weekly: 4, monthly: 6 } });
      left = decision.verdicts.filter(({ isKept }) => isKept).map((verdict) => verdict.snapshot);
    }
    const days = left.map((snapshot) => shown(snapshot).slice(0, 10));
    expect(days.slice(0, 7)).toEqual(
      daily(400)
        .slice(0, 7)
        .map((snapshot) => shown(snapshot).slice(0, 10)),
    );
    expect(new Set(days.map((day) => day.slice(0, 7))).size).toBe(6);
    expect(left.length).toBeLessThanOrEqual(7 + 4 + 6 + 1);
  });
});

describe('a held snapshot', () => {
  const history = ['2026-01-05T20:00Z!', '2026-01-04T20:00Z', '2026-01-03T20:00Z', '2026-01-02T20:00Zf'];

  test('that is the newest freezes all, and stands for nothing', () => {
    const decision = judge(history.map(made), { keep: { last: 1 } });
    expect(decision.frozen).toContain('is held, and until it is acknowledged or a later backup is good');
    expect(kept(decision)).toHaveLength(4);
    expect(reasonOf(decision, '2026-01-05T20')).toBe('it is held until it is acknowledged or discarded');
    expect(reasonOf(decision, '2026-01-04T20')).toContain('the newest, ');
    expect(reasonOf(decision, '2026-01-03T20')).toContain('no rule keeps it');
  });

  test('gives its place to a newer one, whatever keep says', () => {
    for (const keep of [null, { last: 1 }]) {
      const decision = judge(['2026-01-06T20:00Z!', ...history].map(made), { keep, failuresInRow: 2 });
      expect(
        decision.verdicts.filter(({ isKept }) => !isKept).map(({ snapshot }) => shown(snapshot)),
      ).toEqual(['2026-01-05T20']);
      expect(reasonOf(decision, '2026-01-05T20')).toContain('takes its place');
    }
  });

  test('goes when a later one is good, and freezes nothing; without keep it stays', () => {
    const back = ['2026-01-06T20:00Z', ...history].map(made);
    const decision = judge(back, { keep: { last: 1 } });
    expect(decision.frozen).toBe('');
    expect(kept(decision)).toEqual(['2026-01-06T20', '2026-01-02T20']);
    expect(reasonOf(decision, '2026-01-05T20')).toMatch(/it was held, and the later .* is good/);
    expect(kept(judge(back, { keep: null }))).toHaveLength(5);
  });
});
