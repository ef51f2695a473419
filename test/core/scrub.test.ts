import { describe, expect, it } from 'vitest';
import {
  isScrubDue,
  partCount,
  partOf,
  partsForNow,
  verifiedSince,
  type PartTimes,
} from '../../src/core/scrub.js';
import type { RunRecord } from '../../src/core/run.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleRun } from '../store/samples.js';

const dayMs = 86_400_000;
const night = new Date('2026-11-22T02:00:00Z');

function daysLater(days: number): Date {
  return new Date(night.getTime() + days * dayMs);
}

describe('the part of an entry', () => {
  it('is that of its content, whatever it is called', () => {
    expect(partOf({ hash: `ff${'0'.repeat(62)}`, path: '/a' })).toBe(255);
    expect(partOf({ hash: `ff${'0'.repeat(62)}`, path: '/b' })).toBe(255);
    expect(partOf({ hash: `00${'f'.repeat(62)}`, path: '/b' })).toBe(0);
  });

  it('is spread by the path where there is no content', () => {
    const parts = new Set(
      Array.from({ length: 2000 }, (_, number) => partOf({ hash: '', path: `/dir/${number}` })),
    );
    expect(parts.size).toBeGreaterThan(200);
    expect(Math.max(...parts)).toBeLessThan(partCount);
  });
});

describe('the parts of a night', () => {
  it.each([1, 7, 30, 90, 365])(
    'are such that all are read once in %i days, each as often as the others',
    (days) => {
      const times = new Map<number, Date>();
      const reads = Array<number>(partCount).fill(0);
      const cycles = 3;
      for (let day = 0; day < cycles * days; day++) {
        for (const part of partsForNow(times, days, daysLater(day))) {
          const before = times.get(part);
          if (before) expect(daysLater(day).getTime() - before.getTime()).toBeLessThanOrEqual(days * dayMs);
          times.set(part, daysLater(day));
          reads[part] = (reads[part] ?? 0) + 1;
        }
        if (day >= days)
          for (const time of times.values())
            expect(daysLater(day).getTime() - time.getTime()).toBeLessThanOrEqual(days * dayMs);
      }
      expect(times.size).toBe(partCount);
      expect(Math.max(...reads) - Math.min(...reads)).toBeLessThanOrEqual(days > partCount ? 2 : 1);
    },
  );

  it('are those that were read longest ago, and those first that never were', () => {
    const times: PartTimes = new Map([
      [0, daysLater(-3)],
      [1, daysLater(-1)],
      [2, daysLater(-2)],
    ]);
    expect(partsForNow(times, 64, night)).toEqual([3, 4, 5, 6]);
    const read = new Map(Array.from({ length: partCount }, (_, part) => [part, daysLater(-1 - (part % 5))]));
    expect(partsForNow(read, 128, night)).toEqual([4, 9]);
  });

  it('are twice as many while nights were missed', () => {
    const read = new Map(Array.from({ length: partCount }, (_, part) => [part, daysLater(-40)]));
    expect(partsForNow(read, 30, night)).toHaveLength(18);
    for (const part of partsForNow(read, 30, night)) read.set(part, night);
    expect(partsForNow(new Map([...read].map(([part]) => [part, night])), 30, daysLater(1))).toHaveLength(9);
  });
});

function all(time: Date): PartTimes {
  return new Map(Array.from({ length: partCount }, (_, part) => [part, time]));
}

function scrub(changes: Partial<RunRecord>): RunRecord {
  return sampleRun(1, { kind: 'scrub', ...changes });
}

describe('a snapshot is verified since', () => {
  const committedAt = daysLater(-10);
  it('the time at which the last of its parts was read, or it as a whole', () => {
    expect(verifiedSince(committedAt, null, new Map())).toBeNull();
    expect(verifiedSince(committedAt, daysLater(-5), new Map())).toEqual(daysLater(-5));
    expect(verifiedSince(committedAt, null, all(daysLater(-3)))).toEqual(daysLater(-3));
    expect(verifiedSince(committedAt, daysLater(-2), all(daysLater(-3)))).toEqual(daysLater(-2));
    expect(verifiedSince(committedAt, null, new Map([...all(night), [17, daysLater(-9)]]))).toEqual(
      daysLater(-9),
    );
  });

  it('never while a part was last read before it was there', () => {
    expect(verifiedSince(committedAt, null, new Map([...all(night), [17, daysLater(-11)]]))).toBeNull();
    const [, ...rest] = all(night);
    expect(verifiedSince(committedAt, null, new Map(rest))).toBeNull();
  });
});

describe('a scrub is due', () => {
  const host = sampleHost({ verifyEvery: 30, verifySchedule: ['01:00-05:00'] });
  const isDue = (changes: Partial<Parameters<typeof isScrubDue>[0]>): boolean =>
    isScrubDue({ host, hasManifest: true, lastScrub: null, now: night, ...changes });

  it('once in each night', () => {
    expect(isDue({})).toBe(true);
    expect(isDue({ lastScrub: scrub({ createdAt: daysLater(-1), state: 'SUCCEEDED' }) })).toBe(true);
    const tonight = new Date(night.getTime() - 3_600_000);
    for (const state of ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED'] as const)
      expect(isDue({ lastScrub: scrub({ createdAt: tonight, state }) })).toBe(false);
  });

  it('again when it was cut short by nobody’s wish', () => {
    const error = { reason: 'CANCELLED_BY_STOP', message: '', advice: '' } as const;
    expect(isDue({ lastScrub: scrub({ createdAt: night, state: 'INTERRUPTED' }) })).toBe(true);
    expect(isDue({ lastScrub: scrub({ createdAt: night, state: 'CANCELLED', error }) })).toBe(true);
    const byHand = { ...error, reason: 'CANCELLED' } as const;
    expect(isDue({ lastScrub: scrub({ createdAt: night, state: 'CANCELLED', error: byHand }) })).toBe(false);
  });

  it('not by day, not when it is off, and not without anything to compare with', () => {
    expect(isDue({ now: new Date('2026-11-22T05:00:00Z') })).toBe(false);
    expect(isDue({ host: sampleHost({ verifyEvery: 0 }) })).toBe(false);
    expect(isDue({ hasManifest: false })).toBe(false);
    expect(isDue({ host: { ...host, verifySchedule: [] }, now: new Date('2026-11-22T12:00:00Z') })).toBe(
      true,
    );
  });
});
