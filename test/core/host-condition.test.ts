import { describe, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import { conditionOf, type ConditionFacts } from '../../src/core/host-condition.js';
import { endedRun, snapshotAt } from '../helpers/mail-samples.js';
import { sampleHost } from '../helpers/sample-host.js';

const now = new Date('2026-11-24T12:00:00Z');
const byAge = { ...sampleHost().schedule, slots: [] };
const weekly = { ...byAge, slots: ['0 3 * * sun'] };
const host = sampleHost({ schedule: byAge, maxAgeIncr: 1, alertAfter: 7 });
const failure = new BusyError('SSH_KEY_REFUSED', { host: 'web1', user: 'root', address: 'web1' });

function daysOld(days: number, changes: Parameters<typeof snapshotAt>[1] = {}) {
  return snapshotAt(new Date(now.getTime() - days * 86_400_000), changes);
}

const held = daysOld(0.1, {
  heldFor: [{ code: 'EMPTY_SOURCE', source: '/home', message: '/home has no files' }],
});
const partial = daysOld(0.5, { outcome: 'PARTIAL', missingFileCount: 3 });

describe('the condition of a host', () => {
  it.each<[string, Partial<ConditionFacts>, string, RegExp]>([
    ['has a young snapshot', {}, 'good', /^$/],
    ['has none', { snapshots: [] }, 'new', /no snapshot yet/],
    ['is not pinned', { snapshots: [], host: { ...host, hostKey: '' } }, 'new', /not pinned/],
    ['lacks files', { snapshots: [partial] }, 'partial', /^3 files are missing/],
    [
      'is older than twice max_age_incr',
      { snapshots: [daysOld(2)] },
      'late',
      /2\.0 days old, more than twice max_age_incr/,
    ],
    ['is not yet that old', { snapshots: [daysOld(1.9)] }, 'good', /^$/],
    ['is weekly', { snapshots: [daysOld(6)], host: { ...host, schedule: weekly } }, 'good', /^$/],
    [
      'is weekly and older than alert_after',
      { snapshots: [daysOld(7)], host: { ...host, schedule: weekly } },
      'late',
      /alert_after \(7 days\)/,
    ],
    [
      'has no alert_after',
      { snapshots: [daysOld(70)], host: { ...host, alertAfter: 0, schedule: weekly } },
      'good',
      /^$/,
    ],
    ['is held', { snapshots: [held, daysOld(5)] }, 'held', /^\/home has no files$/],
    ['is late and lacks files', { snapshots: [daysOld(3, { outcome: 'PARTIAL' })] }, 'late', /days old/],
  ])('that %s: %s', (_, facts, condition, reason) => {
    const found = conditionOf({
      host,
      snapshots: [daysOld(0.5)],
      lastRun: null,
      failuresInRow: 0,
      now,
      ...facts,
    });
    expect(found.condition).toBe(condition);
    expect(found.reason).toMatch(reason);
  });

  it('is failing, whatever its snapshots are', () => {
    const lastRun = endedRun(1, 'FAILED', now, { error: failure.toFailure() });
    const found = conditionOf({ host, snapshots: [held], lastRun, failuresInRow: 2, now });
    expect(found).toEqual({ condition: 'failing', reason: `the last 2 backups failed: ${failure.message}` });
  });
});
