import { expect, test } from 'vitest';
import { oldestKept, removableRuns } from '../../src/core/run-retention.js';

const now = new Date('2026-11-22T20:00:00Z');

test('a day is 24 hours, decimals count, and 0 keeps all', () => {
  expect(oldestKept(365, now)).toEqual(new Date('2025-11-22T20:00:00Z'));
  expect(oldestKept(0.5, now)).toEqual(new Date('2026-11-22T08:00:00Z'));
  expect(oldestKept(36_500, now)).toEqual(new Date(0));
  expect(oldestKept(0, now)).toBeNull();
});

test('what runs, what is among the newest, and what made a snapshot stays', () => {
  const runs = [
    { id: 'a', state: 'SUCCEEDED' },
    { id: 'b', state: 'FAILED' },
    { id: 'c', state: 'RUNNING' },
    { id: 'd', state: 'QUEUED' },
    { id: 'e', state: 'INTERRUPTED' },
    { id: 'f', state: 'CANCELLED' },
  ] as const;
  const facts = { runs, newest: new Set(['f']), makers: new Set(['a']) };
  expect(removableRuns(facts)).toEqual(['b', 'e']);
});
