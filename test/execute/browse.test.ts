import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BrowseSource, DiffStep } from '../../src/core/browse.js';
import type { FileEntry } from '../../src/core/file-entry.js';
import { bytesOf, showPath } from '../../src/core/byte-path.js';
import { diffSnapshots } from '../../src/execute/browse-diff.js';
import { findFiles } from '../../src/execute/browse-find.js';
import { listVersions } from '../../src/execute/browse-history.js';
import { listFiles } from '../../src/execute/browse-list.js';
import { asArchive, createBrowseBed, onDisk, type BrowseBed } from '../helpers/browse-bed.js';

let bed: BrowseBed;
beforeEach(async () => {
  bed = await createBrowseBed();
});
afterEach(() => rmSync(bed.directory, { recursive: true }));

const ways = [
  ['with its manifest', (source: BrowseSource) => source],
  ['from the disk', onDisk],
  ['from an archive', asArchive],
] as const;

async function collect<T>(steps: AsyncGenerator<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const step of steps) all.push(step);
  return all;
}

function list(source: BrowseSource, path: string, after: string | null = null, limit = 1000) {
  return collect(listFiles({ source, path, after, limit }));
}

const names = (entries: readonly FileEntry[]): string[] => entries.map(({ path }) => showPath(path));

const inEtc = [
  '/etc/.hidden',
  '/etc/Grüße',
  '/etc/a.b',
  '/etc/caf\\#351\\#012',
  '/etc/chmodded',
  '/etc/edited',
  '/etc/fifo',
  '/etc/out',
  '/etc/removed',
  '/etc/same',
  '/etc/ssh',
  '/etc/touched',
  '/etc/up',
];

describe.each(ways)('a directory that is listed %s', (_, way) => {
  it('has all of its entries, sorted by bytes, and nothing deeper', async () => {
    const entries = await list(way(bed.older), '/etc');
    expect(names(entries)).toEqual(inEtc);
    expect(entries.find(({ path }) => path === '/etc/out')).toMatchObject({
      type: 'symlink',
      target: bytesOf(bed.directory),
    });
    expect(entries.find(({ path }) => path === '/etc/same')).toMatchObject({
      type: 'file',
      size: 4,
      mtimeNs: '1795168800000000000',
    });
    expect(names(await list(way(bed.older), '/'))).toEqual(['/etc']);
  });

  it('comes in pages', async () => {
    expect(names(await list(way(bed.older), '/etc', 'a.b', 3))).toEqual(inEtc.slice(3, 6));
    expect(await list(way(bed.older), '/etc', 'up')).toEqual([]);
  });

  it('is the entry itself for all but directories, symlinks among them', async () => {
    expect(names(await list(way(bed.older), '/etc/caf\xe9\n'))).toEqual(['/etc/caf\\#351\\#012']);
    expect(names(await list(way(bed.older), '/etc/out'))).toEqual(['/etc/out']);
  });

  it.each(['/none', '/etc/same/x', '/etc/ss'])('is not there: %s', async (path) => {
    await expect(list(way(bed.older), path)).rejects.toMatchObject({ reason: 'PATH_NOT_FOUND' });
  });

  it.each(['/..', '/../snapshot.json', '/etc/../../snapshot.json', 'etc', '/etc//ssh'])(
    'is refused: %s',
    async (path) => {
      await expect(list(way(bed.older), path)).rejects.toMatchObject({ reason: 'PATH_REFUSED' });
    },
  );
});

describe('a hostile snapshot', () => {
  it.each(['/etc/out/secret', '/etc/out/web1', '/etc/up/x'])('leads nowhere through %s', async (path) => {
    await expect(list(bed.older, path)).rejects.toMatchObject({ reason: 'PATH_REFUSED' });
    await expect(list(asArchive(bed.older), path)).rejects.toMatchObject({ reason: 'PATH_NOT_FOUND' });
    const steps = diffSnapshots({ before: onDisk(bed.older), after: onDisk(bed.newer), path });
    await expect(collect(steps)).rejects.toMatchObject({ reason: 'PATH_REFUSED' });
    const [sighting] = await collect(listVersions({ sources: [bed.older], path }));
    expect(sighting).toMatchObject({ kind: 'absent', entry: null });
  });

  it('shows nothing of what lies beside its data, whatever is searched', async () => {
    for (const [, way] of ways) {
      const steps = await collect(findFiles({ sources: [way(bed.older)], pattern: '**/*', types: [] }));
      const found = steps.flatMap((step) => (step.kind === 'found' ? [step.entry.path] : []));
      expect(found.length).toBe(inEtc.length + 2);
      expect(found.every((path) => path.startsWith('/etc'))).toBe(true);
    }
  });

  it('is not followed where its data is a symlink', async () => {
    const snapshot = bed.older.directory ?? '';
    rmSync(join(snapshot, 'data'), { recursive: true });
    symlinkSync(bed.directory, join(snapshot, 'data'));
    await expect(list(bed.older, '/')).rejects.toMatchObject({ reason: 'SNAPSHOT_REMOVED' });
  });
});

const find = async (sources: readonly BrowseSource[], pattern: string, types: FileEntry['type'][] = []) =>
  (await collect(findFiles({ sources, pattern, types }))).flatMap((step) =>
    step.kind === 'found' ? [`${step.source} ${showPath(step.entry.path)}`] : [],
  );

describe('a search', () => {
  it.each(ways)('finds names and paths in several snapshots, %s', async (_, way) => {
    const both = [way(bed.newer), way(bed.older)];
    expect(await find(both, 'removed')).toEqual(['1 /etc/removed']);
    expect(await find(both, 'caf\\#351*')).toEqual(['0 /etc/caf\\#351\\#012', '1 /etc/caf\\#351\\#012']);
    expect(await find(both, 'Gr??e')).toHaveLength(2);
    expect(await find([way(bed.older)], '/etc/*/con*')).toEqual(['0 /etc/ssh/config']);
    expect(await find([way(bed.older)], '*i*', ['fifo'])).toEqual(['0 /etc/fifo']);
    expect(await find([way(bed.older)], 'hidden')).toEqual([]);
  });

  it('goes on where one of several is gone, and says so', async () => {
    rmSync(bed.newer.directory ?? '', { recursive: true });
    const steps = await collect(findFiles({ sources: [bed.newer, bed.older], pattern: 'same', types: [] }));
    expect(steps.filter(({ kind }) => kind !== 'progress')).toMatchObject([
      { kind: 'skipped', source: 0, message: expect.stringContaining('2026-11-22_20-00-05i') as string },
      { kind: 'found', source: 1 },
    ]);
    await expect(find([bed.newer], 'same')).rejects.toMatchObject({ reason: 'SNAPSHOT_REMOVED' });
  });

  it('refuses a pattern that cannot be', async () => {
    await expect(find([bed.older], 'x'.repeat(2000))).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  it('takes the rest from the disk where the manifest is cut off', async () => {
    const file = bed.older.manifest ?? '';
    truncateSync(file, readFileSync(file).length - 20);
    expect(await find([bed.older], '*')).toHaveLength(inEtc.length + 2);
    await expect(find([asArchive(bed.older)], '*')).rejects.toMatchObject({ reason: 'ARCHIVE_UNLISTED' });
  });
});

const diff = async (before: BrowseSource, after: BrowseSource, path = '/') => {
  const steps = await collect(diffSnapshots({ before, after, path }));
  const lines = steps.flatMap((step) =>
    step.kind === 'difference'
      ? [
          [
            step.difference.kind,
            showPath((step.difference.after ?? step.difference.before)?.path ?? ''),
            ...step.difference.changes,
          ].join(' '),
        ]
      : [],
  );
  const last = steps.at(-1) as Extract<DiffStep, { kind: 'summary' }>;
  return { lines, summary: last.summary };
};

describe('a comparison', () => {
  const mixed = [...ways, ['by a manifest and the disk', null]] as const;
  it.each(mixed)('tells what was added, removed and changed, and how, %s', async (_, way) => {
    const [before, after] = way
      ? [way(bed.older), way(bed.newer)]
      : [asArchive(bed.older), onDisk(bed.newer)];
    const { lines, summary } = await diff(before, after);
    expect(lines).toEqual([
      'changed /etc/chmodded mode',
      'changed /etc/edited content mtime',
      'added /etc/new',
      'added /etc/new/file',
      'removed /etc/removed',
      'changed /etc/touched mtime',
    ]);
    expect(summary).toEqual({
      added: { entries: 2, bytes: 4 },
      removed: { entries: 1, bytes: 7 },
      contentChanged: { entries: 1, bytesBefore: 6, bytesAfter: 6 },
      metadataChanged: { entries: 2 },
      unchanged: { entries: 12 },
    });
  });

  it.each(ways)('may be of one directory or file, %s', async (_, way) => {
    expect((await diff(way(bed.older), way(bed.newer), '/etc/new')).lines).toEqual([
      'added /etc/new',
      'added /etc/new/file',
    ]);
    expect((await diff(way(bed.older), way(bed.newer), '/etc/ssh')).lines).toEqual([]);
    await expect(diff(way(bed.older), way(bed.newer), '/none')).rejects.toMatchObject({
      reason: 'PATH_NOT_FOUND',
    });
  });

  it('ends with a reason when a snapshot is removed in the middle', async () => {
    const data = join(bed.older.directory ?? '', 'data/many');
    mkdirSync(data);
    for (let file = 0; file < 3000; file++) writeFileSync(join(data, String(file)), '');
    const steps = diffSnapshots({ before: onDisk(bed.older), after: onDisk(bed.newer), path: '/' });
    await steps.next();
    renameSync(bed.older.directory ?? '', join(bed.directory, 'web1/.removed-x'));
    await expect(collect(steps)).rejects.toMatchObject({
      reason: 'SNAPSHOT_REMOVED',
      message: expect.stringContaining('not there any more') as string,
    });
  });
});

describe('the history of a path', () => {
  it.each([
    ['/etc/same', ['first', 'same']],
    ['/etc/edited', ['first', 'changed content,mtime']],
    ['/etc/touched', ['first', 'changed mtime']],
    ['/etc/chmodded', ['first', 'changed mode']],
    ['/etc/removed', ['first', 'gone']],
    ['/etc/new/file', ['absent', 'first']],
    ['/none', ['absent', 'absent']],
  ])('of %s', async (path, expected) => {
    for (const [, way] of ways) {
      const sightings = await collect(listVersions({ sources: [way(bed.older), way(bed.newer)], path }));
      expect(sightings.map(({ kind, changes }) => [kind, changes.join()].join(' ').trim())).toEqual(expected);
    }
  });

  it('passes over a snapshot that is gone', async () => {
    rmSync(bed.older.directory ?? '', { recursive: true });
    const sources = [bed.older, bed.newer];
    const sightings = await collect(listVersions({ sources, path: '/etc/same' }));
    expect(sightings).toMatchObject([{ kind: 'unknown' }, { kind: 'first' }]);
  });
});
