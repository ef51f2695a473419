import { describe, expect, it } from 'vitest';
import { DrillSample, drillSelection, failureOfDrill, newDrill } from '../../src/core/drill.js';
import { isDrillDue } from '../../src/core/drill-due.js';
import type { RunRecord } from '../../src/core/run.js';
import { SlotFinder } from '../../src/core/schedule.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleRun } from '../rpc/samples.js';

const paths = Array.from({ length: 5000 }, (_, number) => `/data/file ${number}`);

function draw(seed: string, size: number, from: readonly string[] = paths): string[] {
  const sample = new DrillSample(seed, size);
  for (const path of from) sample.offer(path);
  return [...sample.paths()].sort();
}

describe('the sample of a drill', () => {
  it('is the same for the same seed, whatever the order, and another for another seed', () => {
    expect(draw('a', 100)).toHaveLength(100);
    expect(draw('a', 100)).toEqual(draw('a', 100, paths.toReversed()));
    expect(draw('a', 100)).not.toEqual(draw('b', 100));
  });

  it('takes all when there are fewer, and none when none are wanted', () => {
    expect(draw('a', 100, paths.slice(0, 7))).toEqual(paths.slice(0, 7));
    expect(draw('a', 0)).toEqual([]);
  });

  it('gives every file about the same chance', () => {
    const half = new Set(paths.slice(0, 2500));
    const drawn = Array.from({ length: 50 }, (_, seed) => draw(`run ${seed}`, 100)).flat();
    const share = drawn.filter((path) => half.has(path)).length / drawn.length;
    expect(share).toBeGreaterThan(0.45);
    expect(share).toBeLessThan(0.55);
    expect(new Set(drawn).size).toBeGreaterThan(2500);
  });
});

it('what is restored: the sample, what is named with all below it, and the directories above', () => {
  const isSelected = drillSelection(new Set(['/home/anna/a']), ['/etc']);
  const all = ['/', '/home', '/home/anna', '/home/anna/a', '/home/anna/b', '/etc', '/etc/x/y', '/etcetera'];
  expect(all.filter(isSelected)).toEqual(['/', '/home', '/home/anna', '/home/anna/a', '/etc', '/etc/x/y']);
  expect(all.filter(drillSelection(new Set(), ['/']))).toEqual(all);
});

describe('the outcome of a drill', () => {
  const good = newDrill('seed');
  const difference = { snapshot: 's', kind: 'content', path: '/etc/hosts', detail: 'd' } as const;

  it.each([
    [good, null],
    [{ ...good, commandEnd: 'ended with code 0', hasCommandPassed: true }, null],
    [
      { ...good, commandEnd: 'ended with code 3' },
      'What was restored from snapshot s of host "web1" is not as it was: drill_command ended with code 3.',
    ],
    [
      { ...good, differences: [difference], differenceCount: 1 },
      'What was restored from snapshot s of host "web1" is not as it was: 1 difference, the first: /etc/hosts (content).',
    ],
  ])('%#', (record, message) => {
    expect(failureOfDrill('web1', 's', record)?.message ?? null).toBe(message);
  });
});

function drillAt(time: string, changes: Partial<RunRecord> = {}): RunRecord {
  return sampleRun(1, {
    kind: 'drill',
    state: 'SUCCEEDED',
    error: null,
    createdAt: new Date(time),
    ...changes,
  });
}

describe('a drill is due', () => {
  const host = sampleHost({
    drillSchedule: ['04:00'],
    schedule: { slots: [], timeZone: 'UTC', catchUpMs: 86_400_000, jitterMs: 0 },
  });
  const slots = new SlotFinder();
  const isDue = (changes: Partial<Parameters<typeof isDrillDue>[0]>): boolean =>
    isDrillDue({
      host,
      hasSnapshot: true,
      lastDrill: drillAt('2026-11-22T04:00:30Z'),
      slots,
      now: new Date('2026-11-23T04:00:00Z'),
      ...changes,
    });

  it.each([
    ['when its time has come', {}, true],
    ['not before it', { now: new Date('2026-11-23T03:59:00Z') }, false],
    ['not twice for one slot', { lastDrill: drillAt('2026-11-23T04:00:00Z') }, false],
    [
      'when the last was cut short',
      { lastDrill: drillAt('2026-11-23T04:00:00Z', { state: 'INTERRUPTED' }) },
      true,
    ],
    ['when a slot was missed', { now: new Date('2026-11-23T20:00:00Z') }, true],
    ['not without a snapshot', { hasSnapshot: false }, false],
    ['never by itself without a schedule', { host: { ...host, drillSchedule: [] } }, false],
    ['the first time too', { lastDrill: null }, true],
    [
      'not when the slot is older than catch_up',
      {
        host: { ...host, schedule: { ...host.schedule, catchUpMs: 3_600_000 } },
        now: new Date('2026-11-23T05:30:00Z'),
      },
      false,
    ],
  ])('%s', (_, changes, expected) => {
    expect(isDue(changes)).toBe(expected);
  });
});
