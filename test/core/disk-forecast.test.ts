import { describe, expect, it } from 'vitest';
import { forecastDisk, keptSamples, type FreeSample } from '../../src/core/disk-forecast.js';

const now = new Date('2026-11-26T12:00:00Z');
const gib = 1024 ** 3;

function daysAgo(days: number): number {
  return now.getTime() - days * 86_400_000;
}

/** One sample a day, the oldest first. */
function history(days: number, freeOn: (daysBefore: number) => number): FreeSample[] {
  return Array.from({ length: days }, (_, index) => days - index).map((before) => ({
    atMs: daysAgo(before),
    freeBytes: freeOn(before),
  }));
}

describe('when a disk will be full', () => {
  it('is found by the pace of the last weeks', () => {
    const samples = history(14, (before) => (70 + before) * gib);
    expect(forecastDisk(samples, 70 * gib, now)).toEqual({
      bytesPerDay: gib,
      fullAt: new Date(now.getTime() + 70 * 86_400_000),
      since: new Date(daysAgo(14)),
    });
  });

  it('is not moved by a night on which much was copied and removed again', () => {
    const samples = history(28, (before) => (100 + before - (before === 10 ? 30 : 0)) * gib);
    const forecast = forecastDisk(samples, 100 * gib, now);
    expect(forecast?.bytesPerDay).toBeGreaterThan(0.8 * gib);
    expect(forecast?.bytesPerDay).toBeLessThan(1.2 * gib);
  });

  it.each([
    ['stays', () => 50 * gib, 0],
    ['grows', (before: number) => (50 - before) * gib, -gib],
  ])('is never while the free space %s', (_, freeOn, bytesPerDay) => {
    const forecast = forecastDisk(history(10, freeOn), freeOn(0), now);
    expect(forecast?.bytesPerDay).toBeCloseTo(bytesPerDay, 5);
    expect(forecast?.fullAt).toBeNull();
  });

  it('is never when it is more than ten years away', () => {
    const samples = history(10, (before) => 10_000 * gib + before * 1_000_000);
    expect(forecastDisk(samples, 10_000 * gib, now)).toMatchObject({ bytesPerDay: 1_000_000, fullAt: null });
  });

  it('is now when nothing is free', () => {
    expect(
      forecastDisk(
        history(7, (before) => before * gib),
        0,
        now,
      )?.fullAt,
    ).toEqual(now);
  });

  it.each([
    ['there is no history', []],
    ['there are two days of it', history(2, () => gib)],
    ['it is old', [{ atMs: daysAgo(60), freeBytes: gib }]],
    ['it is of the future', [{ atMs: daysAgo(-5), freeBytes: gib }]],
  ])('is not known while %s', (_, samples) => {
    expect(forecastDisk(samples, gib, now)).toBeNull();
  });
});

it('keeps four weeks of samples', () => {
  expect(
    keptSamples(
      history(40, () => gib),
      now,
    ),
  ).toHaveLength(28);
});
