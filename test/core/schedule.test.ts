import { describe, expect, it } from 'vitest';
import { isTimeZone, jitterOf, problemOfSlot, SlotFinder } from '../../src/core/schedule.js';

const around = (slots: string[], zone: string, moment: string): (string | undefined)[] => {
  const { last, next } = new SlotFinder().around(slots, zone, new Date(moment));
  return [last?.toISOString(), next?.toISOString()];
};

describe('slots', () => {
  it('are times of day in the zone of the host, and cron expressions', () => {
    expect(around(['14:00'], 'Europe/Berlin', '2026-06-10T12:00:00Z')).toEqual([
      '2026-06-10T12:00:00.000Z',
      '2026-06-11T12:00:00.000Z',
    ]);
    expect(around(['14:00', '20:30'], 'UTC', '2026-06-10T15:00:00Z')).toEqual([
      '2026-06-10T14:00:00.000Z',
      '2026-06-10T20:30:00.000Z',
    ]);
    expect(around(['0 */4 * * mon'], 'UTC', '2026-06-09T03:00:00Z')).toEqual([
      '2026-06-08T20:00:00.000Z',
      '2026-06-15T00:00:00.000Z',
    ]);
  });

  it('have come at their very moment, and not a millisecond before', () => {
    expect(around(['14:00'], 'UTC', '2026-06-10T14:00:00.000Z')[0]).toBe('2026-06-10T14:00:00.000Z');
    expect(around(['14:00'], 'UTC', '2026-06-10T13:59:59.999Z')[0]).toBe('2026-06-09T14:00:00.000Z');
  });

  it.each([
    ['Europe/Berlin', '30 2 * * *', '2026-03-28T12:00:00Z', 3],
    ['Europe/Berlin', '30 2 * * *', '2026-10-24T12:00:00Z', 3],
    ['Australia/Lord_Howe', '15 2 * * *', '2026-10-03T00:00:00Z', 3],
    ['Australia/Lord_Howe', '45 1 * * *', '2026-04-04T00:00:00Z', 3],
  ])('come once a day over a change of the clocks: %s %s', (zone, slot, from, days) => {
    const finder = new SlotFinder();
    const seen = new Set<number>();
    const start = Date.parse(from);
    for (let minute = 0; minute < days * 1440; minute++) {
      const { last } = finder.around([slot], zone, new Date(start + minute * 60_000));
      if (last && last.getTime() > start) seen.add(last.getTime());
    }
    expect(seen.size).toBe(days);
  });

  it('are the same whether they were remembered or not', () => {
    const finder = new SlotFinder();
    const slots = ['*/7 3-5 * * *', '23:59'];
    for (let step = 0; step < 400; step++) {
      // Forwards, and now and then back, as a clock may jump.
      const moment = new Date(Date.UTC(2026, 9, 24, 20) + step * 411_000 - (step % 9 === 0 ? 7_200_000 : 0));
      const { last, next } = finder.around(slots, 'Europe/Berlin', moment);
      const fresh = new SlotFinder().around(slots, 'Europe/Berlin', moment);
      expect([last, next]).toEqual([fresh.last, fresh.next]);
    }
  });

  it.each(['25:00', '14:60', 'noon', '* * *', ''])('%j is none', (slot) => {
    expect(problemOfSlot(slot)).toMatch(/neither a time of day/);
  });

  it('that never comes is none', () => {
    expect(problemOfSlot('0 0 31 2 *')).toBe('"0 0 31 2 *" never comes');
    expect(problemOfSlot('0 0 29 2 *')).toBeNull();
  });
});

describe('jitter', () => {
  it('is the same for one host always, within its length, and spread', () => {
    const hosts = Array.from({ length: 1000 }, (_, index) => `host-${index}`);
    const jitters = hosts.map((host) => jitterOf(host, 3_600_000));
    expect(hosts.map((host) => jitterOf(host, 3_600_000))).toEqual(jitters);
    for (const jitter of jitters) expect(jitter >= 0 && jitter < 3_600_000).toBe(true);
    for (let quarter = 0; quarter < 4; quarter++) {
      const inside = jitters.filter((jitter) => Math.floor(jitter / 900_000) === quarter).length;
      expect(inside).toBeGreaterThan(180);
    }
    expect(jitterOf('host', 0)).toBe(0);
  });
});

it('knows the time zones of the system', () => {
  expect(['UTC', 'Europe/Berlin', 'Mars/Olympus', ''].map(isTimeZone)).toEqual([true, true, false, false]);
});
