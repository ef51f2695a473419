import { describe, expect, it } from 'vitest';
import type { BackupType } from '../../src/core/snapshot.js';
import { chooseLinkBases } from '../../src/execute/link-bases.js';
import type { HostStore, PartialDir, PartialMark } from '../../src/execute/snapshot-dir.js';

const full = '2026-11-01_20-00-00f';
const olderFull = '2026-10-01_20-00-00f';
const older = '2026-11-02_20-00-00i';
const newest = '2026-11-03_20-00-00i';

const thisBoot = { bootId: 'this boot', held: new Set<string>() };

function partial(day: number, type: BackupType, changes: Partial<PartialMark> = {}): PartialDir {
  const name = `.partial-2026-11-${String(day).padStart(2, '0')}_20-00-00${type === 'full' ? 'f' : 'i'}`;
  const mark = { runId: `run${day}`, type, bootId: 'this boot', isFlushed: false, ...changes };
  return { path: `/srv/backup/web1/${name}`, name, mark };
}

function store(snapshots: readonly string[], partials: readonly PartialDir[] = []): HostStore {
  return { directory: '/srv/backup/web1', snapshots, partials, trashed: [] };
}

describe('an incremental backup', () => {
  it('links to the newest snapshot first, then to the youngest full one', () => {
    expect(chooseLinkBases(store([olderFull, full, older, newest]), 'incremental', thisBoot)).toEqual({
      type: 'incremental',
      snapshotNames: [newest, full],
      resumed: [],
      paths: [`/srv/backup/web1/${newest}`, `/srv/backup/web1/${full}`],
      mustCompareContents: false,
    });
  });

  it('links once when the newest is the full one', () => {
    expect(chooseLinkBases(store([older, full]), 'incremental', thisBoot).snapshotNames).toEqual([full]);
  });

  it('links to incremental ones when no full one is left', () => {
    const bases = chooseLinkBases(store([older, newest]), 'incremental', thisBoot);
    expect([bases.type, bases.snapshotNames]).toEqual(['incremental', [newest]]);
  });

  it('becomes a full one without any snapshot, and then takes only what a full one left', () => {
    const left = [partial(4, 'full'), partial(5, 'incremental')];
    const bases = chooseLinkBases(store([], left), 'incremental', thisBoot);
    expect([bases.type, bases.snapshotNames, bases.resumed]).toEqual(['full', [], [left[0]]]);
  });

  it('goes on from what unfinished ones left, the newest first', () => {
    const left = [partial(4, 'full'), partial(5, 'incremental')];
    const bases = chooseLinkBases(store([full], left), 'incremental', thisBoot);
    expect(bases.resumed.map(({ name }) => name)).toEqual([left[1]?.name, left[0]?.name]);
    expect(bases.paths).toEqual([left[1]?.path, left[0]?.path, `/srv/backup/web1/${full}`]);
  });

  it('takes at most 18 of them, so that rsync never gets more than its 20', () => {
    const left = Array.from({ length: 20 }, (_, index) => partial(index + 1, 'incremental'));
    const bases = chooseLinkBases(store([full, newest], left), 'incremental', thisBoot);
    expect(bases.resumed.map(({ mark }) => mark?.runId).slice(0, 2)).toEqual(['run20', 'run19']);
    expect(bases.resumed.at(-1)?.mark?.runId).toBe('run3');
    expect(bases.paths).toHaveLength(20);
  });

  it('does not trust a directory whose mark is missing', () => {
    const bases = chooseLinkBases(
      store([full], [{ ...partial(4, 'full'), mark: null }]),
      'incremental',
      thisBoot,
    );
    expect(bases.resumed).toEqual([]);
  });
});

describe('a full backup', () => {
  it('links to no snapshot', () => {
    const bases = chooseLinkBases(store([full, newest]), 'full', thisBoot);
    expect([bases.type, bases.snapshotNames, bases.paths]).toEqual(['full', [], []]);
  });

  it('goes on from what a full one left, never from an incremental one', () => {
    const left = [partial(4, 'full'), partial(5, 'incremental'), partial(6, 'full')];
    const bases = chooseLinkBases(store([full], left), 'full', thisBoot);
    expect(bases.resumed).toEqual([left[2], left[0]]);
    expect(bases.snapshotNames).toEqual([]);
  });
});

describe('contents are compared', () => {
  it.each([
    ['it was written in this boot', { bootId: 'this boot', isFlushed: false }, false],
    ['it was flushed before the machine went down', { bootId: 'an older boot', isFlushed: true }, false],
    ['the machine went down before it was flushed', { bootId: 'an older boot', isFlushed: false }, true],
  ])('when %s: %j', (_, mark, must) => {
    const left = [partial(4, 'full', mark), partial(5, 'full')];
    expect(chooseLinkBases(store([full], left), 'incremental', thisBoot).mustCompareContents).toBe(must);
  });

  it('not for a directory that is no base', () => {
    const left = [partial(4, 'incremental', { bootId: 'an older boot' })];
    expect(chooseLinkBases(store([full], left), 'full', thisBoot).mustCompareContents).toBe(false);
  });
});
