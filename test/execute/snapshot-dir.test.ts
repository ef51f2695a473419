import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import { parseSnapshotName } from '../../src/core/snapshot.js';
import * as store from '../../src/execute/snapshot-dir.js';

const mark: store.PartialMark = { runId: 'run1', type: 'full', bootId: 'boot1', isFlushed: false };
const never = new AbortController().signal;
const zoneBefore = process.env.TZ;

let backupdir: string;
beforeEach(async () => {
  process.env.TZ = 'Europe/Berlin';
  backupdir = await mkdtemp(join(tmpdir(), 'busy-store-'));
});
afterEach(async () => {
  if (zoneBefore === undefined) delete process.env.TZ;
  else process.env.TZ = zoneBefore;
  await rm(backupdir, { recursive: true });
});

async function reasonOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof BusyError ? error.reason : String(error);
}

/** Runs work that the system refuses with this error. */
function refused(cause: Error): Promise<never> {
  return store.orUnusable('/srv/backup', async () => {
    await Promise.resolve();
    throw cause;
  });
}

function nextAfter(taken: readonly string[], now: string, partials: readonly string[] = []): string {
  const left = partials.map((name) => ({ path: name, name: `.partial-${name}`, mark: null }));
  const host = { directory: '/srv', snapshots: taken, partials: left, trashed: [] };
  return store.nextSnapshotName(host, new Date(now), 'incremental');
}

describe('openHostStore', () => {
  it('makes the directory of a new host, and lists nothing', async () => {
    const directory = join(backupdir, 'web1');
    expect(await store.openHostStore(backupdir, 'web1')).toEqual({
      directory,
      snapshots: [],
      partials: [],
      trashed: [],
    });
    expect((await stat(directory)).mode & 0o007).toBe(0);
  });

  it('does not make the backup directory, which may be a disk that is not mounted', async () => {
    expect(await reasonOf(store.openHostStore(join(backupdir, 'absent'), 'web1'))).toBe('BACKUPDIR_UNUSABLE');
    await writeFile(join(backupdir, 'file'), '');
    expect(await reasonOf(store.openHostStore(join(backupdir, 'file'), 'web1'))).toBe('BACKUPDIR_UNUSABLE');
  });

  it('lists snapshots and partial directories by age, and nothing else', async () => {
    const host = join(backupdir, 'web1');
    for (const name of [
      '2026-11-22_20-00-05i',
      '2026-11-21_20-00-05f',
      'lost+found',
      '.removed-2026-11-20_20-00-05f',
    ]) {
      await mkdir(join(host, name), { recursive: true });
    }
    await mkdir(join(host, '.partial-2026-11-23_20-00-05i'));
    await writeFile(join(host, '2026-11-19_20-00-05f'), 'a file');
    await symlink('2026-11-21_20-00-05f', join(host, '2026-11-18_20-00-05f'));
    const found = await store.openHostStore(backupdir, 'web1');
    expect(found.snapshots).toEqual(['2026-11-21_20-00-05f', '2026-11-22_20-00-05i']);
    expect(found.partials.map(({ name, mark: said }) => [name, said])).toEqual([
      ['.partial-2026-11-23_20-00-05i', null],
    ]);
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"runId":"x","type":"full","bootId":"b"}',
    '{"runId":"x","type":"some","bootId":"b","isFlushed":true}',
  ])('takes no mark of %j', async (text) => {
    const partial = join(backupdir, 'web1', '.partial-2026-11-23_20-00-05i');
    await mkdir(partial, { recursive: true });
    await writeFile(join(partial, 'partial.json'), text);
    expect((await store.openHostStore(backupdir, 'web1')).partials[0]?.mark).toBeNull();
  });
});

describe('nextSnapshotName', () => {
  it('is the local time of the start', () => {
    expect(nextAfter([], '2026-11-22T19:00:05Z')).toBe('2026-11-22_20-00-05i');
    expect(nextAfter(['2026-11-22_20-00-04f'], '2026-11-22T19:00:05Z')).toBe('2026-11-22_20-00-05i');
  });

  it('is a second later when that second is taken, also by the other type or by a partial directory', () => {
    expect(nextAfter(['2026-11-22_20-00-05i'], '2026-11-22T19:00:05Z')).toBe('2026-11-22_20-00-06i');
    expect(nextAfter(['2026-11-22_20-00-05f'], '2026-11-22T19:00:05.999Z')).toBe('2026-11-22_20-00-06i');
    expect(nextAfter([], '2026-11-22T19:00:05Z', ['2026-11-22_20-00-05f'])).toBe('2026-11-22_20-00-06i');
  });

  it('sorts after all others when the clock was set back', () => {
    expect(nextAfter(['2026-11-22_20-00-05f', '2031-01-31_23-59-59i'], '2026-11-22T19:00:05Z')).toBe(
      '2031-02-01_00-00-00i',
    );
  });

  // 02:30 comes twice in Berlin on that day: at 00:30 UTC in summer time, at 01:30 UTC in winter time.
  it.each([
    ['the same second', '2026-10-25_02-30-00i', '2026-10-25T01:30:00Z'],
    ['an earlier minute', '2026-10-25_02-30-00i', '2026-10-25T01:10:00Z'],
    ['a later minute', '2026-10-25_02-30-00i', '2026-10-25T01:45:00Z'],
    ['the last second', '2026-10-25_02-59-59i', '2026-10-25T01:59:59Z'],
    ['the first second', '2026-10-25_02-59-59i', '2026-10-25T01:00:00Z'],
  ])('sorts after all others in the second pass of the hour of autumn: %s', (_, taken, now) => {
    const next = nextAfter([taken], now);
    expect(next > taken).toBe(true);
    expect(parseSnapshotName(next)).not.toBeNull();
  });

  it('goes on growing through that hour', () => {
    const taken: string[] = [];
    for (let minute = 0; minute < 240; minute += 5) {
      taken.push(nextAfter(taken, new Date(Date.UTC(2026, 9, 24, 23, minute)).toISOString()));
    }
    expect(new Set(taken).size).toBe(taken.length);
    expect([...taken].sort()).toEqual(taken);
  });
});

describe('a partial directory', () => {
  it('becomes a snapshot by its commit, and is nothing but a snapshot then', async () => {
    const before = await store.openHostStore(backupdir, 'web1');
    const partial = await store.createPartial(before, '2026-11-22_20-00-05f', mark);
    await writeFile(join(partial, 'data', 'file'), 'x');
    const during = await store.openHostStore(backupdir, 'web1');
    expect([during.snapshots, during.partials]).toEqual([
      [],
      [{ path: partial, name: '.partial-2026-11-22_20-00-05f', mark }],
    ]);
    const path = await store.commitPartial(partial, '2026-11-22_20-00-05f', never);
    const after = await store.openHostStore(backupdir, 'web1');
    expect([after.snapshots, after.partials]).toEqual([['2026-11-22_20-00-05f'], []]);
    expect((await readdir(path)).sort()).toEqual(['data']);
    expect(await readFile(join(path, 'data', 'file'), 'utf8')).toBe('x');
  });

  it('is never written into twice', async () => {
    const before = await store.openHostStore(backupdir, 'web1');
    await store.createPartial(before, '2026-11-22_20-00-05f', mark);
    expect(await reasonOf(store.createPartial(before, '2026-11-22_20-00-05f', mark))).toBe(
      'BACKUPDIR_UNUSABLE',
    );
  });

  it('stays one, with its mark, when the backup is cancelled before the rename', async () => {
    const before = await store.openHostStore(backupdir, 'web1');
    const partial = await store.createPartial(before, '2026-11-22_20-00-05f', mark);
    expect(await reasonOf(store.commitPartial(partial, '2026-11-22_20-00-05f', AbortSignal.abort()))).toBe(
      'CANCELLED',
    );
    const after = await store.openHostStore(backupdir, 'web1');
    expect([after.snapshots, after.partials.map(({ mark: said }) => said)]).toEqual([[], [mark]]);
  });

  it('never replaces a snapshot', async () => {
    const before = await store.openHostStore(backupdir, 'web1');
    const committed = join(before.directory, '2026-11-22_20-00-05f');
    await mkdir(join(committed, 'data'), { recursive: true });
    const partial = await store.createPartial(before, '2026-11-22_20-00-05f', mark);
    await writeFile(join(partial, 'data', 'file'), 'x');
    expect(await reasonOf(store.commitPartial(partial, '2026-11-22_20-00-05f', never))).toBe(
      'BACKUPDIR_UNUSABLE',
    );
    expect(await readdir(join(committed, 'data'))).toEqual([]);
  });

  it('says when all of it has reached the disk', async () => {
    const before = await store.openHostStore(backupdir, 'web1');
    const partial = await store.createPartial(before, '2026-11-22_20-00-05f', mark);
    await store.flushPartial(partial, mark, never);
    expect((await store.openHostStore(backupdir, 'web1')).partials[0]?.mark).toEqual({
      ...mark,
      isFlushed: true,
    });
  });

  it('leaves the store at once when it is discarded, and the disk when it is swept', async () => {
    const before = await store.openHostStore(backupdir, 'web1');
    const partial = await store.createPartial(before, '2026-11-22_20-00-05f', mark);
    const strange = Buffer.concat([Buffer.from(join(partial, 'data', 'latin-')), Buffer.of(0xe9)]);
    await writeFile(strange, 'x');
    await store.discard(partial);
    expect((await store.openHostStore(backupdir, 'web1')).partials).toEqual([]);
    expect(await store.remove(await store.discarded(before.directory), never)).toBe(true);
    expect(await readdir(before.directory)).toEqual([]);
  });

  it('is not taken for discarded, nor is a snapshot', async () => {
    const before = await store.openHostStore(backupdir, 'web1');
    await store.createPartial(before, '2026-11-22_20-00-05f', mark);
    await mkdir(join(before.directory, '2026-11-21_20-00-05f'));
    expect(await store.discarded(before.directory)).toEqual([]);
    expect(await store.discarded(join(backupdir, 'absent'))).toEqual([]);
    expect((await readdir(before.directory)).sort()).toEqual([
      '.partial-2026-11-22_20-00-05f',
      '2026-11-21_20-00-05f',
    ]);
  });
});

describe('orUnusable', () => {
  it.each([
    ['ENOSPC: no space left on device, write', 'DISK_FULL'],
    ['EDQUOT: disk quota exceeded, mkdir', 'DISK_FULL'],
    ['sync ended with code 1: error syncing: No space left on device', 'DISK_FULL'],
    ['EACCES: permission denied, mkdir', 'BACKUPDIR_UNUSABLE'],
    ['EROFS: read-only file system', 'BACKUPDIR_UNUSABLE'],
  ])('turns %j into %s', async (message, reason) => {
    expect(await reasonOf(refused(new Error(message)))).toBe(reason);
  });

  it('leaves a reason as it is', async () => {
    expect(await reasonOf(refused(new BusyError('CANCELLED')))).toBe('CANCELLED');
  });
});
