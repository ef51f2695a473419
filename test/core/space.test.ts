import { describe, expect, it } from 'vitest';
import { noTransfer, type SnapshotRecord } from '../../src/core/snapshot.js';
import {
  estimateNeed,
  judgeFloor,
  judgeRoom,
  measuredEstimate,
  nothing,
  reserveOf,
  snapshotToMeasure,
  stillToCome,
  type DiskRoom,
  type DiskUsage,
  type MinFree,
  type RoomDecision,
  type RoomFacts,
} from '../../src/core/space.js';
import { sampleSnapshot } from '../rpc/samples.js';

const GiB = 1024 ** 3;
const onePercent: MinFree = { unit: 'percent', amount: 1 };
const gigabyte: MinFree = { unit: 'bytes', amount: GiB };
const none: MinFree = { unit: 'bytes', amount: 0 };

function room(freeBytes: number, changes: { freeInodes?: number; totalInodes?: number } = {}): DiskRoom {
  const { freeInodes = 900, totalInodes = 1000 } = changes;
  return { free: { bytes: freeBytes, inodes: freeInodes }, total: { bytes: 100 * GiB, inodes: totalInodes } };
}

function snapshot(name: string, stats: Partial<SnapshotRecord['stats']>): SnapshotRecord {
  return { ...sampleSnapshot('web1', name), stats: { ...noTransfer, ...stats } };
}

function needing(bytes: number, inodes = 0): { need: { bytes: number; inodes: number }; basis: string } {
  return { need: { bytes, inodes }, basis: 'as much as x holds' };
}

describe('the estimate', () => {
  const full = snapshot('2026-11-01_20-00-05f', { totalBytes: 5 * GiB, fileCount: 100 });
  const added = [7, 900, 3].map((bytes, index) =>
    snapshot(`2026-11-0${index + 2}_20-00-05i`, {
      totalBytes: 6 * GiB,
      fileCount: 200,
      transferredBytes: bytes,
      filesCreated: 10,
    }),
  );
  const newestFirst = [...added, full].toSorted((a, b) => (a.name < b.name ? 1 : -1));

  it('of a full one is all that the newest snapshot holds, in blocks', () => {
    const { need, basis } = estimateNeed('full', newestFirst);
    expect(need).toEqual({ bytes: 6 * GiB + 200 * 4096, inodes: 200 });
    expect(basis).toBe('as much as 2026-11-04_20-00-05i holds');
  });

  it('counts what was copied for attributes alone, and nothing of a held one', () => {
    const copied = snapshot('2026-11-05_20-00-05i', {
      transferredBytes: 1,
      copiedBytes: 50,
      filesCreated: 0,
    });
    expect(estimateNeed('incremental', [copied]).need).toEqual({ bytes: 50, inodes: 0 });
    const heldFor = [{ code: 'EMPTY_SOURCE', source: '/etc', message: 'it is empty' }] as const;
    const held = { ...snapshot('2026-11-06_20-00-05i', {}), heldFor };
    for (const type of ['full', 'incremental'] as const) {
      expect(estimateNeed(type, [held, ...newestFirst])).toEqual(estimateNeed(type, newestFirst));
      expect(snapshotToMeasure(type, [held, ...newestFirst])).toBe(snapshotToMeasure(type, newestFirst));
    }
  });

  it('of an incremental one is the middle of the last ones, so that one large day stops no other', () => {
    expect(estimateNeed('incremental', newestFirst)).toEqual({
      need: { bytes: 7 + 10 * 4096, inodes: 10 },
      basis: 'as much as 2026-11-02_20-00-05i added',
    });
  });

  it('looks at the last five incremental ones only', () => {
    const old = [1, 2, 3, 4, 5, 6].map((bytes) =>
      snapshot(`2026-10-0${bytes}_20-00-05i`, { transferredBytes: 1_000_000 }),
    );
    const recent = [1, 2, 3, 4, 5].map((bytes) =>
      snapshot(`2026-11-0${bytes}_20-00-05i`, { transferredBytes: bytes }),
    );
    expect(estimateNeed('incremental', [...recent, ...old]).need?.bytes).toBe(3);
  });

  it('is unknown for the first of its type', () => {
    expect(estimateNeed('full', [])).toEqual({ need: null, basis: 'unknown, since it is the first backup' });
    expect(estimateNeed('incremental', [full]).need).toBeNull();
  });

  it('measures the newest snapshot for a full one, the newest incremental one for an incremental one', () => {
    const names = (['full', 'incremental'] as const).map(
      (type) => snapshotToMeasure(type, newestFirst)?.name,
    );
    expect(names).toEqual(['2026-11-04_20-00-05i', '2026-11-04_20-00-05i']);
    expect(snapshotToMeasure('incremental', [full])).toBeUndefined();
    expect(snapshotToMeasure('full', [full])).toBe(full);
  });

  const usage: DiskUsage = {
    seen: { bytes: 4000, inodes: 40 },
    own: { bytes: 300, inodes: 3 },
    sharedBytes: 1,
  };

  it('is corrected by what the disk says, less what is there already', () => {
    const estimate = needing(10_000, 100);
    const unfinished = { bytes: 1000, inodes: 5 };
    expect(measuredEstimate('full', estimate, usage, nothing).need).toEqual({ bytes: 4000, inodes: 40 });
    expect(measuredEstimate('incremental', estimate, usage, nothing).need).toEqual(usage.own);
    expect(measuredEstimate('full', estimate, usage, unfinished).need).toEqual({ bytes: 3000, inodes: 35 });
    expect(measuredEstimate('full', estimate, null, unfinished).need).toEqual({ bytes: 9000, inodes: 95 });
    expect(measuredEstimate('incremental', estimate, usage, unfinished).need).toEqual(nothing);
  });

  it('is never made larger by that, and stays unknown', () => {
    expect(measuredEstimate('full', needing(10, 1), usage, nothing).need).toEqual({ bytes: 10, inodes: 1 });
    const unknown = { need: null, basis: 'unknown' };
    expect(measuredEstimate('full', unknown, usage, nothing)).toEqual(unknown);
  });
});

describe('min_free', () => {
  it.each([
    [onePercent, { bytes: GiB, inodes: 10 }],
    [{ unit: 'percent', amount: 12.5 } as const, { bytes: 12.5 * GiB, inodes: 125 }],
    [gigabyte, { bytes: GiB, inodes: 10 }],
    [none, { bytes: 0, inodes: 0 }],
    [{ unit: 'percent', amount: 0 } as const, { bytes: 0, inodes: 0 }],
  ])('%j of 100 GiB and 1000 inodes', (minFree, reserve) => {
    expect(reserveOf(minFree, room(0))).toEqual(reserve);
  });
});

function judge(facts: Partial<RoomFacts>): RoomDecision {
  return judgeRoom({
    room: room(10 * GiB),
    minFree: gigabyte,
    promised: nothing,
    estimate: needing(GiB),
    ...facts,
  });
}

describe('room for a backup', () => {
  it('is there to the last byte', () => {
    expect(judge({ estimate: needing(9 * GiB) }).fits).toBe(true);
    expect(judge({ estimate: needing(9 * GiB + 1) }).fits).toBe(false);
    expect(judge({ minFree: none, estimate: needing(10 * GiB) }).fits).toBe(true);
  });

  it('is taken by those that run', () => {
    const promised = { bytes: 8 * GiB, inodes: 0 };
    expect(judge({ promised }).fits).toBe(true);
    const { fits, reason } = judge({ promised, estimate: needing(2 * GiB) });
    expect(fits).toBe(false);
    expect(reason).toBe(
      '10.0 GiB of 100.0 GiB are free, this backup will need about 2.0 GiB (as much as x holds), those that run there still want 8.0 GiB, min_free keeps 1.0 GiB: 1.0 GiB are missing',
    );
  });

  it('is asked of the reserve alone where the need is unknown', () => {
    const estimate = { need: null, basis: 'unknown, since it is the first backup' };
    expect(judge({ estimate }).fits).toBe(true);
    const { fits, reason } = judge({ estimate, room: room(GiB - 1) });
    expect(fits).toBe(false);
    expect(reason).toContain('will need an amount that is unknown, since it is the first backup');
  });

  it('counts inodes too', () => {
    const short = judge({ estimate: needing(0, 891) });
    expect(short.fits).toBe(false);
    expect(short.reason).toMatch(/^900 of 1000 inodes are free, .* need about 891 .*: 1 are missing$/);
    expect(judge({ estimate: needing(0, 890) }).fits).toBe(true);
    expect(judge({ estimate: needing(0, 1), promised: { bytes: 0, inodes: 890 } }).fits).toBe(false);
  });

  it('does not count inodes where the file system makes them as it needs them', () => {
    const dynamic = room(10 * GiB, { freeInodes: 0, totalInodes: 0 });
    expect(judge({ room: dynamic, estimate: needing(0, 1_000_000) }).fits).toBe(true);
    expect(judgeFloor(dynamic, gigabyte)).toBeNull();
  });
});

describe('the floor of a backup that runs', () => {
  it('is half of min_free', () => {
    expect(judgeFloor(room(GiB / 2), gigabyte)).toBeNull();
    const low = judgeFloor(room(GiB / 2 - 1), gigabyte);
    expect(low).toMatchObject({ reason: 'DISK_FULL' });
    expect(low?.message).toBe(
      'The backup disk is full: only 512.0 MiB are left, less than half of min_free (1.0 GiB).',
    );
  });

  it('is there for inodes too', () => {
    expect(judgeFloor(room(GiB, { freeInodes: 5 }), gigabyte)).toBeNull();
    expect(judgeFloor(room(GiB, { freeInodes: 4 }), gigabyte)?.message).toContain('only 4 inodes are left');
  });

  it('is nothing without min_free', () => {
    expect(judgeFloor(room(0, { freeInodes: 0 }), none)).toBeNull();
  });
});

it('what a backup still wants shrinks with what it has done', () => {
  const need = { bytes: 1000, inodes: 100 };
  expect(stillToCome(need, 0)).toEqual(need);
  expect(stillToCome(need, 250)).toEqual({ bytes: 750, inodes: 75 });
  expect(stillToCome(need, 5000)).toEqual(nothing);
  expect(stillToCome(null, 5)).toEqual(nothing);
});
