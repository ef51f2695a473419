/** What every SnapshotStore must do, whatever database is behind it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SnapshotStore } from '../../src/core/ports.js';
import type { SnapshotRecord } from '../../src/core/snapshot.js';
import { largest, lookAlikes, sampleSnapshot } from './samples.js';

export interface OpenSnapshotStore {
  readonly snapshots: SnapshotStore;
  close(): Promise<void>;
}

export function snapshotStoreContract(open: () => Promise<OpenSnapshotStore>): void {
  let opened: OpenSnapshotStore;
  let snapshots: SnapshotStore;
  beforeEach(async () => {
    opened = await open();
    snapshots = opened.snapshots;
  });
  afterEach(() => opened.close());

  it('answers what was put, every field', async () => {
    const snapshot = sampleSnapshot('2026-11-22_20-00-05f');
    await snapshots.put(snapshot);
    expect(await snapshots.list()).toStrictEqual([snapshot]);
  });

  it('keeps the largest whole number and every millisecond', async () => {
    const times = { startedAt: new Date(1_795_000_000_001), committedAt: new Date(8_640_000_000_000_000) };
    const snapshot = sampleSnapshot('2026-11-22_20-00-05f', { ...times, missingFileCount: largest });
    await snapshots.put(snapshot);
    expect(await snapshots.list()).toStrictEqual([snapshot]);
  });

  it('keeps why one is held, until it is not', async () => {
    const reason = { code: 'MASS_CHANGE', source: '/e\u0301 \u{1f600}', message: 'all \\ of "it"' } as const;
    const held = sampleSnapshot('2026-11-22_20-00-05f', { heldFor: [reason, reason] });
    await snapshots.put(held);
    expect(await snapshots.list()).toStrictEqual([held]);
    await snapshots.put({ ...held, heldFor: [] });
    expect(await snapshots.list()).toStrictEqual([{ ...held, heldFor: [] }]);
  });

  it('replaces what has the same host and name', async () => {
    const first = sampleSnapshot('2026-11-22_20-00-05f');
    await snapshots.put(first);
    await snapshots.put(first);
    expect(await snapshots.list()).toStrictEqual([first]);
    const second = sampleSnapshot(first.name, { outcome: 'PARTIAL', linkBases: [], missingFileCount: 0 });
    await snapshots.put(second);
    expect(await snapshots.list()).toStrictEqual([second]);
  });

  it('takes no host for another', async () => {
    const path = '/srv/\\#377 \u{1f600} e\u0301 %_ \' " ';
    for (const host of lookAlikes) {
      await snapshots.put(sampleSnapshot('2026-11-22_20-00-05f', { host, path, sources: [path] }));
    }
    await snapshots.remove('WEB1', '2026-11-22_20-00-05f');
    const kept = lookAlikes.filter((host) => host !== 'WEB1');
    expect(await snapshots.list()).toHaveLength(kept.length);
    for (const host of kept)
      expect(await snapshots.list(host)).toMatchObject([{ host, path, sources: [path] }]);
  });

  it('lists newest first, then by host', async () => {
    await snapshots.put(sampleSnapshot('2026-11-21_20-00-05f', { host: 'web2' }));
    await snapshots.put(sampleSnapshot('2026-11-21_20-00-05f'));
    await snapshots.put(sampleSnapshot('2026-11-22_20-00-05i'));
    await snapshots.put(sampleSnapshot('2025-12-31_20-00-05f'));
    expect(namesOf(await snapshots.list())).toEqual([
      '2026-11-22_20-00-05i web1',
      '2026-11-21_20-00-05f web1',
      '2026-11-21_20-00-05f web2',
      '2025-12-31_20-00-05f web1',
    ]);
    expect(namesOf(await snapshots.list('web2'))).toEqual(['2026-11-21_20-00-05f web2']);
    expect(namesOf(await snapshots.list('none'))).toEqual([]);
  });

  it('keeps what 50 parallel writers wrote, also of one snapshot', async () => {
    const writers = Array.from({ length: 50 }, async (_, index) => {
      await snapshots.put(sampleSnapshot('2026-11-22_20-00-05f', { host: `web${index}` }));
      await snapshots.put(sampleSnapshot('2026-11-22_20-00-05f', { missingFileCount: index }));
      if (index % 2 === 0) await snapshots.remove(`web${index}`, '2026-11-22_20-00-05f');
    });
    await Promise.all(writers);
    const hosts = (await snapshots.list()).map(({ host }) => host);
    // web1 is written by all of them, and removed by none.
    const odd = Array.from({ length: 25 }, (_, index) => `web${2 * index + 1}`);
    expect(hosts.toSorted()).toEqual(odd.toSorted());
  });

  it('removes one and only that; removing again changes nothing', async () => {
    const kept = sampleSnapshot('2026-11-22_20-00-05f', { host: 'web2' });
    await snapshots.put(sampleSnapshot('2026-11-22_20-00-05f'));
    await snapshots.put(kept);
    await snapshots.remove('web1', kept.name);
    await snapshots.remove('web1', kept.name);
    expect(await snapshots.list()).toStrictEqual([kept]);
  });
}

function namesOf(snapshots: readonly SnapshotRecord[]): string[] {
  return snapshots.map((snapshot) => `${snapshot.name} ${snapshot.host}`);
}
