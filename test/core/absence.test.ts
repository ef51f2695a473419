import { describe, expect, it } from 'vitest';
import { countMiss, failuresInRow, noMisses } from '../../src/core/absence.js';
import { BusyError } from '../../src/core/errors.js';
import type { RunState } from '../../src/core/run.js';

const ends = {
  ok: { state: 'SUCCEEDED', error: null },
  partial: { state: 'PARTIAL', error: null },
  failed: { state: 'FAILED', error: new BusyError('CONNECTION_LOST').toFailure() },
  died: { state: 'INTERRUPTED', error: new BusyError('DAEMON_DIED').toFailure() },
  unreachable: { state: 'FAILED', error: new BusyError('HOST_UNREACHABLE').toFailure() },
  away: { state: 'FAILED', error: new BusyError('HOST_WENT_AWAY').toFailure() },
  cancelled: { state: 'CANCELLED', error: null },
  running: { state: 'RUNNING', error: null },
} as const satisfies Record<string, { state: RunState; error: unknown }>;

describe('the failures in a row that the next try waits for', () => {
  it.each([
    ['', 0],
    ['failed failed died', 3],
    ['failed ok', 0],
    ['failed partial failed', 1],
    ['failed cancelled running', 1],
    // A laptop that is back is backed up at once.
    ['away', 0],
    ['away away', 0],
    ['unreachable', 0],
    ['failed failed away', 2],
    ['away away ok away', 0],
    // A machine that crashes in each of its backups gets a pause, always the same.
    ['away away away', 1],
    ['away away away away away', 1],
    ['away away away failed', 1],
  ])('%s: %i', (runs, failures) => {
    const names = runs.split(' ').filter(Boolean) as (keyof typeof ends)[];
    const misses = names.map((name) => ends[name]).reduce(countMiss, noMisses);
    expect(failuresInRow(misses)).toBe(failures);
  });
});
