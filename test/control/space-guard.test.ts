import { describe, expect, test } from 'vitest';
import { SpaceGuard } from '../../src/control/space-guard.js';
import type { BusyError } from '../../src/core/errors.js';
import type { Host } from '../../src/core/host.js';
import { noTransfer, type SnapshotRecord } from '../../src/core/snapshot.js';
import type { DiskUsage } from '../../src/core/space.js';
import { sampleHost } from '../helpers/sample-host.js';
import { until } from '../helpers/test-bed.js';
import { sampleSnapshot } from '../rpc/samples.js';

const GiB = 1024 ** 3;

/** A guard over a world of figures: 100 GiB of disk, two hosts, one disk or two. */
class World {
  freeBytes = 50 * GiB;
  readonly hosts = ['web1', 'web2', 'far'].map((name) =>
    sampleHost({
      name,
      backupdir: name === 'far' ? '/far' : '/srv/backup',
      minFree: { unit: 'bytes', amount: 10 * GiB },
    }),
  );
  snapshots = new Map<string, SnapshotRecord[]>();
  bytesDone = 0;
  usages: (DiskUsage | null)[] = [];
  unfinished: string[] = [];
  readonly measured: (readonly string[])[] = [];
  readonly expired: string[] = [];
  expire: () => Promise<number> = () => Promise.resolve(0);
  isReadable = true;
  readonly errors: unknown[] = [];
  readonly log: string[] = [];
  readonly guard = new SpaceGuard({
    catalog: { hosts: () => this.hosts, snapshots: (name = '') => this.snapshots.get(name) ?? [] },
    executor: {
      measure: (groups) => {
        this.measured.push(...groups);
        return Promise.resolve(groups.map((_, index) => this.usages[index] ?? null));
      },
    },
    disk: {
      roomOf: () =>
        Promise.resolve(
          this.isReadable
            ? { free: { bytes: this.freeBytes, inodes: 0 }, total: { bytes: 100 * GiB, inodes: 0 } }
            : null,
        ),
      leftovers: () => Promise.resolve({ unfinished: this.unfinished, removed: [], trashed: [] }),
    },
    diskOf: ({ backupdir }) => Promise.resolve(backupdir),
    bytesDone: () => this.bytesDone,
    expire: (hosts) => {
      this.expired.push(...hosts.map(({ name }) => name));
      return this.expire();
    },
    onError: (_, error) => void this.errors.push(error),
  });

  has(host: string, totalBytes: number): this {
    const stats = { ...noTransfer, totalBytes };
    this.snapshots.set(host, [{ ...sampleSnapshot(host, '2026-11-01_20-00-05f'), stats }]);
    return this;
  }

  ask(host: string, changes: { runId?: string; signal?: AbortSignal } = {}): Promise<BusyError | null> {
    return this.guard.admit({
      runId: changes.runId ?? `run of ${host}`,
      host: this.hosts.find(({ name }) => name === host) as Host,
      type: 'full',
      signal: changes.signal ?? new AbortController().signal,
      say: (text) => Promise.resolve(void this.log.push(text)),
    });
  }
}

/** Ends a removal when the test wants it. */
class Finish {
  now = (): void => {};
}

function usage(bytes: number): DiskUsage {
  return { seen: { bytes, inodes: 0 }, own: { bytes, inodes: 0 }, sharedBytes: bytes };
}

describe('a backup that asks for room', () => {
  test('gets it where it is, and nothing is measured or removed for it', async () => {
    const world = new World().has('web1', 40 * GiB);
    expect(await world.ask('web1')).toBeNull();
    expect([world.measured, world.expired, world.log]).toEqual([[], [], []]);
  });

  test('is refused with the figures when nothing can be removed', async () => {
    const world = new World().has('web1', 41 * GiB);
    const refusal = await world.ask('web1');
    expect(refusal?.reason).toBe('DISK_SPACE_LOW');
    expect(refusal?.message).toMatch(
      /of host "web1": 50\.0 GiB of 100\.0 GiB are free, .* 41\.0 GiB .*1\.0 GiB are missing\.$/,
    );
    expect(refusal?.advice).toMatch(/there is no snapshot that need not be kept\..*busy space web1/);
    expect(world.expired).toEqual(['web1', 'web2']);
    expect(world.log).toHaveLength(2);
  });

  test('gets it when the disk says that the snapshot is smaller than what rsync counts', async () => {
    const world = new World().has('web1', 900 * GiB);
    world.usages = [usage(30 * GiB)];
    expect(await world.ask('web1')).toBeNull();
    expect(world.measured).toEqual([[world.snapshots.get('web1')?.[0]?.path]]);
    expect(world.expired).toEqual([]);
  });

  test('gets it when an unfinished one has most of it there already', async () => {
    const world = new World().has('web1', 60 * GiB);
    world.unfinished = ['/srv/backup/web1/.partial-a', '/srv/backup/web1/.partial-b'];
    world.usages = [usage(60 * GiB), usage(25 * GiB)];
    expect(await world.ask('web1')).toBeNull();
    expect(world.measured[1]).toEqual(world.unfinished);
  });

  test('gets it as soon as the removal has freed enough, not only when all is gone', async () => {
    const world = new World().has('web1', 41 * GiB);
    const finish = new Finish();
    world.expire = () => {
      world.freeBytes = 60 * GiB;
      return new Promise((resolve) => (finish.now = () => resolve(5)));
    };
    expect(await world.ask('web1')).toBeNull();
    expect(world.log.at(-1)).toBe(
      'there is room now: old snapshots are being removed, and their space is freed meanwhile',
    );
    finish.now();
  });

  test('is told what was removed, when that was not enough', async () => {
    const world = new World().has('web1', 41 * GiB);
    world.expire = () => Promise.resolve(1);
    expect((await world.ask('web1'))?.advice).toContain('one snapshot was removed that need not be kept');
  });

  test('is not held up where the disk cannot be seen, or something breaks', async () => {
    const world = new World().has('web1', 900 * GiB);
    world.isReadable = false;
    expect(await world.ask('web1')).toBeNull();
    world.isReadable = true;
    world.expire = () => Promise.reject(new Error('broken'));
    expect(await world.ask('web1', { runId: 'another' })).toBeNull();
    expect(world.errors).toHaveLength(1);
  });

  test('stops waiting when it is cancelled', async () => {
    const world = new World().has('web1', 41 * GiB);
    const cancel = new AbortController();
    world.expire = () => {
      cancel.abort();
      return new Promise(() => {});
    };
    const answer = await world.ask('web1', { signal: cancel.signal });
    expect(answer?.reason).toBe('DISK_SPACE_LOW');
  });
});

describe('what was promised', () => {
  test('counts against others on the disk until it is there, and no longer than the run', async () => {
    const world = new World().has('web1', 30 * GiB).has('web2', 20 * GiB);
    expect(await world.ask('web1')).toBeNull();
    const refusal = await world.ask('web2');
    expect(refusal?.message).toContain('those that run there still want 30.0 GiB');
    world.bytesDone = 20 * GiB;
    expect(await world.ask('web2')).toBeNull();
    world.guard.release('run of web2');
    world.bytesDone = 0;
    expect(await world.ask('web2')).not.toBeNull();
    world.guard.release('run of web1');
    expect(await world.ask('web2')).toBeNull();
  });

  test('does not count on another disk', async () => {
    const world = new World().has('web1', 40 * GiB).has('far', 40 * GiB);
    expect(await world.ask('web1')).toBeNull();
    expect(await world.ask('far')).toBeNull();
  });

  test('is not given twice to two that ask at once', async () => {
    const world = new World().has('web1', 30 * GiB).has('web2', 30 * GiB);
    const answers = await Promise.all([world.ask('web1'), world.ask('web2')]);
    expect(answers.map((answer) => answer?.reason ?? null)).toEqual([null, 'DISK_SPACE_LOW']);
  });

  test('is not kept for a run that ended while it waited', async () => {
    const world = new World().has('web1', 41 * GiB).has('web2', 40 * GiB);
    const finish = new Finish();
    world.expire = () => new Promise((resolve) => (finish.now = () => resolve(1)));
    const waiting = world.ask('web1');
    await until(() => world.expired.length > 0, 'the removal');
    world.guard.release('run of web1');
    world.freeBytes = 51 * GiB;
    finish.now();
    expect(await waiting).toBeNull();
    expect(await world.ask('web2')).toBeNull();
  });
});

test('assess says whether there would be room, and promises nothing', async () => {
  const world = new World().has('web1', 41 * GiB);
  const [web1 = sampleHost()] = world.hosts;
  expect(await world.guard.assess(web1, 'full')).toMatchObject({ fits: false });
  world.freeBytes = 90 * GiB;
  expect(await world.guard.assess(web1, 'full')).toMatchObject({ fits: true });
  expect(await world.ask('web2')).toBeNull();
  world.isReadable = false;
  expect(await world.guard.assess(web1, 'full')).toBeNull();
});
