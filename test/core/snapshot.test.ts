import { sampleSnapshot } from '../rpc/samples.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addStats,
  newestAsOf,
  noTransfer,
  parseSnapshotName,
  snapshotName,
} from '../../src/core/snapshot.js';

const zoneBefore = process.env.TZ;
beforeEach(() => {
  process.env.TZ = 'Europe/Berlin';
});
afterEach(() => {
  if (zoneBefore === undefined) delete process.env.TZ;
  else process.env.TZ = zoneBefore;
});

describe('snapshotName', () => {
  it('is the local time and a letter for the type', () => {
    const startedAt = new Date('2026-01-02T02:04:05.999Z');
    expect(snapshotName(startedAt, 'full')).toBe('2026-01-02_03-04-05f');
    expect(snapshotName(startedAt, 'incremental')).toBe('2026-01-02_03-04-05i');
  });

  it('is read back to the same second', () => {
    for (const type of ['full', 'incremental'] as const) {
      for (const time of ['2026-02-28T22:59:59Z', '2026-07-01T12:00:00Z', '2026-12-31T23:30:00Z']) {
        expect(parseSnapshotName(snapshotName(new Date(time), type))).toEqual({
          type,
          startedAt: new Date(time),
        });
      }
    }
  });

  it('says the same for both passes of the hour that autumn repeats', () => {
    const [first, second] = [new Date('2026-10-25T00:30:00Z'), new Date('2026-10-25T01:30:00Z')];
    expect(snapshotName(first, 'full')).toBe('2026-10-25_02-30-00f');
    expect(snapshotName(second, 'full')).toBe('2026-10-25_02-30-00f');
    expect(parseSnapshotName('2026-10-25_02-30-00f')?.startedAt).toEqual(first);
  });
});

describe('parseSnapshotName', () => {
  it.each([
    '2026-11-22_20-00-05',
    '2026-11-22_20-00-05x',
    '2026-11-22_20-00-05F',
    '2026-11-22_20-00-05f ',
    '2026-11-22_20-00-05f\n',
    '.partial-2026-11-22_20-00-05f',
    '2026-11-22_20-00-05f.old',
    '26-11-22_20-00-05f',
    '2026-11-22T20:00:05f',
    '',
  ])('takes no %j', (name) => {
    expect(parseSnapshotName(name)).toBeNull();
  });
});

describe('addStats', () => {
  it('adds each count on its own', () => {
    const a = {
      fileCount: 1,
      filesTransferred: 2,
      filesCreated: 3,
      totalBytes: 4,
      transferredBytes: 5,
      receivedBytes: 6,
      sentBytes: 7,
      regularFiles: 8,
      copiedFiles: 9,
      copiedBytes: 10,
      attributeChangedFiles: 11,
      linkedFiles: 12,
      linkedBytes: 13,
    };
    expect(addStats(a, noTransfer)).toEqual(a);
    expect(addStats(a, a)).toEqual(
      Object.fromEntries(Object.entries(a).map(([key, value]) => [key, 2 * value])),
    );
  });
});

describe('newestAsOf', () => {
  const snapshots = [
    { ...sampleSnapshot('web1', '2026-11-23_20-00-05i'), startedAt: new Date('2026-11-23T20:00:05Z') },
    { ...sampleSnapshot('web1', '2026-11-22_20-00-05i'), startedAt: new Date('2026-11-22T20:00:05.900Z') },
    { ...sampleSnapshot('web1', '2026-11-21_20-00-05f'), startedAt: new Date('2026-11-21T20:00:05Z') },
  ];

  it.each([
    [null, '2026-11-23_20-00-05i'],
    ['2026-11-23T20:00:04Z', '2026-11-22_20-00-05i'],
    ['2026-11-22T20:00:05Z', '2026-11-22_20-00-05i'],
    ['2026-11-21T20:00:04Z', undefined],
  ])('answers for %s %s', (time, name) => {
    expect(newestAsOf(snapshots, time === null ? null : new Date(time))?.name).toBe(name);
  });

  it('passes over a held one as long as there is another', () => {
    const [newest, ...others] = snapshots.map((snapshot, index) => ({
      ...snapshot,
      heldFor: index === 0 ? [{ code: 'SHRUNK' as const, source: '', message: 'it shrank' }] : [],
    }));
    if (!newest) throw new Error('there is none');
    expect(newestAsOf([newest, ...others], null)).toBe(others[0]);
    expect(newestAsOf([newest], null)).toBe(newest);
  });
});
