import { describe, expect, it } from 'vitest';
import {
  activeStates,
  isActive,
  isCommittable,
  outcomeOfJobs,
  statesBefore,
  type JobRecord,
  type JobState,
  type RunState,
} from '../../src/core/run.js';

const allStates: readonly RunState[] = [
  'QUEUED',
  'RUNNING',
  'CANCELLING',
  'SUCCEEDED',
  'PARTIAL',
  'FAILED',
  'CANCELLED',
  'INTERRUPTED',
];

function jobs(...states: JobState[]): JobRecord[] {
  return states.map((state, index) => ({
    number: index + 1,
    source: `/source${index + 1}`,
    state,
    error: null,
    exitCode: null,
    stats: null,
    missingFiles: [],
    missingFileCount: 0,
  }));
}

describe('states', () => {
  it('are active until a run has ended', () => {
    expect(allStates.filter(isActive)).toEqual(['QUEUED', 'RUNNING', 'CANCELLING']);
    expect(activeStates.every(isActive)).toBe(true);
  });

  it('never lead out of an ended one', () => {
    const left = Object.values(statesBefore).flat();
    expect(left.filter((state) => !isActive(state))).toEqual([]);
  });

  it('lead out of each active one, and into each but the first', () => {
    expect(new Set(Object.values(statesBefore).flat())).toEqual(new Set(activeStates));
    expect(new Set(Object.keys(statesBefore))).toEqual(new Set(allStates.slice(1)));
  });

  it('let a run be cancelled at once only before it runs', () => {
    expect(statesBefore.CANCELLED).not.toContain('RUNNING');
    expect(statesBefore.CANCELLING).toEqual(['RUNNING']);
    expect(statesBefore.SUCCEEDED).not.toContain('QUEUED');
  });
});

describe('the outcome of jobs', () => {
  it('is nothing without jobs', () => {
    expect(isCommittable([])).toBe(false);
  });

  it.each([
    ['all succeeded', jobs('SUCCEEDED', 'SUCCEEDED'), true, 'SUCCEEDED'],
    ['the last is partial', jobs('SUCCEEDED', 'PARTIAL'), true, 'PARTIAL'],
    ['all are partial', jobs('PARTIAL', 'PARTIAL'), true, 'PARTIAL'],
  ] as const)('is committed when %s', (_, made, isCommitted, outcome) => {
    expect(isCommittable(made)).toBe(isCommitted);
    expect(outcomeOfJobs(made)).toBe(outcome);
  });

  it.each(['WAITING', 'RUNNING', 'FAILED', 'CANCELLED'] as const)(
    'is not committed when one is %s',
    (state) => {
      expect(isCommittable(jobs('SUCCEEDED', state))).toBe(false);
      expect(isCommittable(jobs(state, 'PARTIAL'))).toBe(false);
    },
  );
});
