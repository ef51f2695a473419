import { describe, expect, it } from 'vitest';
import { decideType } from '../../src/core/backup-type.js';
import type { BackupType, SnapshotRecord } from '../../src/core/snapshot.js';
import { snapshotOf } from '../helpers/fake-executor.js';
import { noScripts, sampleHost } from '../helpers/sample-host.js';

const dayMs = 24 * 60 * 60 * 1000;
const now = new Date('2026-11-22T20:00:05Z');
const host = sampleHost({ maxIncr: 3, maxAgeFull: 7 });

function snapshot(type: BackupType, daysAgo: number): SnapshotRecord {
  const task = {
    runId: '01JDTEST000000000000000001',
    host,
    type,
    scripts: noScripts,
    acceptsChanges: false,
    secretPlaces: [],
    logFile: '/dev/null',
  };
  return snapshotOf(task, new Date(now.getTime() - daysAgo * dayMs));
}

function agesAt(moment: Date): (snapshot: SnapshotRecord) => number {
  return ({ startedAt }) => moment.getTime() - startedAt.getTime();
}

/** Newest first; the first is one day old. */
function history(...types: BackupType[]): SnapshotRecord[] {
  return types.map((type, index) => snapshot(type, index + 1));
}

describe('decideType', () => {
  it('makes the first backup full', () => {
    expect(decideType(host, [], 'auto', agesAt(now))).toEqual({
      type: 'full',
      reason: 'there is no full snapshot yet',
    });
  });

  it('makes a full one when there are only incremental ones', () => {
    expect(decideType(host, history('incremental'), 'auto', agesAt(now)).type).toBe('full');
  });

  it('makes an incremental one after a full one', () => {
    expect(decideType(host, history('full'), 'auto', agesAt(now))).toEqual({
      type: 'incremental',
      reason: 'the youngest full snapshot is 1.0 days old, with 0 incremental since',
    });
  });

  it('makes a full one after exactly max_incr incremental ones, not before', () => {
    const two = history('incremental', 'incremental', 'full');
    expect(decideType(host, two, 'auto', agesAt(now)).type).toBe('incremental');
    const three = history('incremental', 'incremental', 'incremental', 'full');
    expect(decideType(host, three, 'auto', agesAt(now))).toEqual({
      type: 'full',
      reason: 'there are 3 incremental snapshots since the youngest full one, and max_incr is 3',
    });
  });

  it('counts only what came after the youngest full one', () => {
    const snapshots = history('incremental', 'full', 'incremental', 'incremental', 'incremental', 'full');
    expect(decideType(host, snapshots, 'auto', agesAt(now)).type).toBe('incremental');
  });

  it('makes only full ones when max_incr is 0', () => {
    expect(decideType(sampleHost({ maxIncr: 0 }), history('full'), 'auto', agesAt(now)).type).toBe('full');
  });

  it('makes a full one when the youngest is exactly max_age_full old, not a millisecond before', () => {
    const full = [snapshot('full', 7)];
    expect(decideType(host, full, 'auto', agesAt(now))).toEqual({
      type: 'full',
      reason: 'the youngest full snapshot is 7.0 days old, and max_age_full is 7',
    });
    expect(decideType(host, full, 'auto', agesAt(new Date(now.getTime() - 1))).type).toBe('incremental');
  });

  it('takes the age of the full one, not that of a younger incremental one', () => {
    expect(
      decideType(host, [snapshot('incremental', 1), snapshot('full', 8)], 'auto', agesAt(now)).type,
    ).toBe('full');
  });

  it('goes on with incremental ones when the clock was set back', () => {
    expect(decideType(host, [snapshot('full', -400)], 'auto', agesAt(now)).type).toBe('incremental');
  });

  it.each(['full', 'incremental'] as const)('obeys a wish for %s', (wish) => {
    const reason = `${wish} was asked for`;
    expect(decideType(host, history('full'), wish, agesAt(now))).toEqual({ type: wish, reason });
    expect(decideType(host, [], wish, agesAt(now))).toEqual({ type: wish, reason });
  });

  it('counts no held ones, and makes no full one while the newest is held', () => {
    const heldFor = [{ code: 'SHRUNK', source: '/etc', message: 'it has shrunk' }] as const;
    const held = { ...snapshot('full', 1), heldFor };
    const reason = `the newest snapshot ${held.name} is held`;
    expect(decideType(host, [held, snapshot('full', 8)], 'auto', agesAt(now))).toEqual({
      type: 'incremental',
      reason,
    });
    expect(decideType(host, [held], 'auto', agesAt(now)).type).toBe('full');
    expect(decideType(host, [snapshot('incremental', 0), held], 'auto', agesAt(now)).type).toBe('full');
    expect(decideType(host, [held, snapshot('full', 8)], 'full', agesAt(now)).type).toBe('full');
  });
});
