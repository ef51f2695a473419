import { describe, expect, it } from 'vitest';
import { dueArchiveSlot, judgeArchiving, whyStays } from '../../src/core/archive-rules.js';
import type { RunRecord } from '../../src/core/run.js';
import { parseSnapshotName, type SnapshotRecord } from '../../src/core/snapshot.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleRun, sampleSnapshot } from '../store/samples.js';

const now = new Date(2026, 10, 26, 12);

/** Days before now, and the letter of the type. */
function snapshot(daysAgo: number, type: 'f' | 'i', changes: Partial<SnapshotRecord> = {}): SnapshotRecord {
  const startedAt = new Date(now.getTime() - daysAgo * 86_400_000);
  const [date, time] = [startedAt.toISOString().slice(0, 10), '10-00-00'];
  const name = `${date}_${time}${type}`;
  const kind = parseSnapshotName(name)?.type ?? 'full';
  return sampleSnapshot(name, {
    type: kind,
    startedAt,
    outcome: 'SUCCEEDED',
    heldFor: [],
    damagedFileCount: 0,
    ...changes,
  });
}

const held = { heldFor: [{ code: 'SHRUNK', source: '', message: 'it lost all' }] } as const;

function judged(snapshots: readonly SnapshotRecord[], failuresInRow = 0): [boolean, string][] {
  const host = sampleHost({ maxAge: 30, archivedir: '/archive' });
  return judgeArchiving({ host, snapshots, failuresInRow, now }).map(({ isDue, reason }) => [isDue, reason]);
}

describe('the snapshots of a host', () => {
  it('are archived from max_age days on', () => {
    const all = [snapshot(1, 'f'), snapshot(29.9, 'i'), snapshot(30, 'i'), snapshot(400, 'f')];
    expect(judged(all)).toEqual([
      [false, 'it is 1 days old, and max_age is 30'],
      [false, 'it is 29 days old, and max_age is 30'],
      [true, 'it is 30 days old, and max_age is 30'],
      [true, 'it is 400 days old, and max_age is 30'],
    ]);
  });

  it('stay when they are the newest of something', () => {
    const all = [
      snapshot(40, 'i', { outcome: 'PARTIAL' }),
      snapshot(41, 'i'),
      snapshot(42, 'f'),
      snapshot(43, 'f'),
    ];
    expect(judged(all).map(([isDue]) => isDue)).toEqual([false, false, false, true]);
    expect(judged(all).map(([, reason]) => reason.split(' (')[0])).toEqual([
      'it is the newest',
      'it is the newest without missing files',
      'it is the youngest full one',
      'it is 43 days old, and max_age is 30',
    ]);
  });

  it('all stay while the newest backup failed, or the newest is held', () => {
    const all = [snapshot(1, 'f'), snapshot(40, 'f')];
    expect(judged(all, 1)[1]).toEqual([false, expect.stringContaining('the newest backup failed')]);
    const withHeld = [snapshot(0, 'i', held), ...all];
    expect(judged(withHeld)[2]).toEqual([
      false,
      expect.stringContaining('is held, and until that is decided'),
    ]);
  });

  it('stay when they are held or damaged themselves', () => {
    const all = [snapshot(1, 'f'), snapshot(40, 'f', held), snapshot(41, 'f', { damagedFileCount: 2 })];
    expect(judged(all).slice(1)).toEqual([
      [false, expect.stringContaining('it is held')],
      [false, expect.stringContaining('2 of its files are damaged')],
    ]);
  });

  it('of an unknown name stay for no reason of their own', () => {
    expect(whyStays({ snapshots: [snapshot(1, 'f')], failuresInRow: 0 }, { name: 'other' })).toBeNull();
  });
});

const at = (time: string): Date => new Date(`2026-11-26T${time}:00.000Z`);

const runAt = (time: string, changes: Partial<RunRecord> = {}): RunRecord => ({
  ...sampleRun(1),
  kind: 'archive',
  state: 'SUCCEEDED',
  error: null,
  createdAt: at(time),
  ...changes,
});

describe('the slot of archive_schedule', () => {
  const slots = { slots: ['03:00'], format: 'tar.gz', level: 0, threads: 0, keep: null, copyTo: '' } as const;
  const host = sampleHost({ archivedir: '/archive', archive: slots });
  it('comes once', () => {
    expect(dueArchiveSlot({ host, lastRun: null, now: at('03:00') })).toEqual(at('03:00'));
    expect(dueArchiveSlot({ host, lastRun: runAt('03:00'), now: at('12:00') })).toBeNull();
    expect(dueArchiveSlot({ host, lastRun: runAt('02:59'), now: at('12:00') })).toEqual(at('03:00'));
  });

  it('is caught up, but not for ever', () => {
    const schedule = { ...host.schedule, catchUpMs: 3_600_000 };
    const late = { ...host, schedule };
    expect(dueArchiveSlot({ host: late, lastRun: null, now: at('04:00') })).toEqual(at('03:00'));
    expect(dueArchiveSlot({ host: late, lastRun: null, now: at('04:01') })).toBeNull();
  });

  it('comes again after a run that was cut short, but not after one that failed', () => {
    const interrupted = runAt('03:00', { state: 'INTERRUPTED' });
    expect(dueArchiveSlot({ host, lastRun: interrupted, now: at('03:05') })).toEqual(at('03:00'));
    expect(
      dueArchiveSlot({ host, lastRun: runAt('03:00', { state: 'FAILED' }), now: at('03:05') }),
    ).toBeNull();
  });

  it('never comes without a directory, or when there is none', () => {
    const never = { ...host, archive: { ...slots, slots: 'never' as const } };
    expect(dueArchiveSlot({ host: never, lastRun: null, now })).toBeNull();
    expect(dueArchiveSlot({ host: { ...host, archivedir: '' }, lastRun: null, now })).toBeNull();
  });
});
