import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { acknowledge, discardHeld } from '../../src/control/held-snapshots.js';
import { Pruner } from '../../src/control/pruner.js';
import { BusyError } from '../../src/core/errors.js';
import type { SnapshotDisk, SnapshotPlace } from '../../src/core/ports.js';
import type { SnapshotRecord } from '../../src/core/snapshot.js';
import { ControlBed } from '../helpers/control-bed.js';
import { snapshotOf } from '../helpers/fake-executor.js';
import { sampleHost } from '../helpers/sample-host.js';
import { until } from '../helpers/test-bed.js';
import { sampleSnapshot, sampleTrash } from '../rpc/samples.js';

const keep = { last: 2, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
const names = [
  '2026-11-01_20-00-05f',
  '2026-11-02_20-00-05i',
  '2026-11-03_20-00-05i',
  '2026-11-04_20-00-05f',
];

/** A disk that remembers what was asked of it. */
class FakeDisk implements SnapshotDisk {
  readonly places = new Map<string, SnapshotPlace>();
  readonly done: string[] = [];
  broken: string | null = null;
  isSweepable = true;

  async locate(snapshots: readonly SnapshotRecord[]): Promise<Map<SnapshotRecord, SnapshotPlace>> {
    return new Map(snapshots.map((snapshot) => [snapshot, this.places.get(snapshot.name) ?? 'present']));
  }

  async takeOut({ name }: SnapshotRecord): Promise<void> {
    if (name === this.broken) throw new BusyError('BACKUPDIR_UNUSABLE', { backupdir: '/srv', detail: 'EIO' });
    this.done.push(`out ${name}`);
  }

  async release({ name }: SnapshotRecord): Promise<void> {
    this.done.push(`release ${name}`);
  }

  async sweepBeside({ name }: SnapshotRecord): Promise<boolean> {
    this.done.push(`sweep beside ${name}`);
    return this.isSweepable;
  }
}

class Log {
  readonly lines: string[] = [];
  private note(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.lines.push(`${message}: ${String(fields.snapshot ?? fields.reason)}`);
  }
  info = this.note.bind(this);
  warn = this.note.bind(this);
  error = this.note.bind(this);
}

describe('the pruner', () => {
  let bed: ControlBed;
  let disk: FakeDisk;
  let log: Log;
  let pruner: Pruner;
  const audit = { note: vi.fn(async () => {}) };

  beforeEach(async () => {
    bed = await ControlBed.open();
    bed.parts.catalog.replaceHosts([sampleHost({ keep })]);
    for (const name of names) await bed.parts.catalog.record(sampleSnapshot('web1', name));
    disk = new FakeDisk();
    log = new Log();
    pruner = new Pruner({ ...bed.parts, lifecycle: bed.lifecycle, audit, disk, log });
  });

  afterEach(async () => {
    vi.useRealTimers();
    await pruner.stop(new AbortController().signal);
    await bed.close();
  });

  function left(): string[] {
    return bed.parts.catalog.snapshots('web1').map(({ name }) => name);
  }

  test('removes the oldest first, from the disk, then from the records, and says why', async () => {
    await pruner.prune('web1');
    expect(left()).toEqual([names[3], names[2]]);
    expect(disk.done.filter((step) => step.startsWith('out'))).toEqual([
      `out ${names[0]}`,
      `out ${names[1]}`,
    ]);
    expect(log.lines).toEqual([`a snapshot was removed: ${names[0]}`, `a snapshot was removed: ${names[1]}`]);
    const told = { snapshot: names[1], message: expect.stringContaining('no rule keeps it') };
    expect(audit.note).toHaveBeenLastCalledWith('RemoveSnapshot', 'web1', told);
    const reopened = await bed.reopen();
    expect(reopened.parts.catalog.snapshots('web1').map(({ name }) => name)).toEqual([names[3], names[2]]);
    await reopened.close();
  });

  test('judging removes nothing', async () => {
    expect((await pruner.judge('web1')).verdicts.map(({ isKept }) => isKept)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(disk.done).toEqual([]);
  });

  test('a crash after the disk and before the records is made good by the next pass', async () => {
    disk.places.set(names[0] ?? '', 'taken out');
    await pruner.prune('web1');
    expect(left()).toEqual([names[3], names[2]]);
    expect(disk.done).not.toContain(`out ${names[0]}`);
  });

  test('a snapshot that is not on the disk stands for none that is', async () => {
    for (const name of names.slice(2)) disk.places.set(name, 'absent');
    const { verdicts, removedCount } = await pruner.prune('web1');
    expect(removedCount).toBe(0);
    expect(verdicts[0]).toMatchObject({
      isKept: true,
      reason: 'it is not on the disk now, so it counts for no rule',
    });
    expect(left()).toHaveLength(4);
  });

  test('a keep that is taken back stops what is under way', async () => {
    disk.takeOut = async ({ name }) => {
      disk.done.push(`out ${name}`);
      bed.parts.catalog.replaceHosts([sampleHost({ keep: null })]);
    };
    const { removedCount } = await pruner.prune('web1');
    expect(removedCount).toBe(1);
    expect(left()).toHaveLength(3);
  });

  test('space that could not be freed is told in the log', async () => {
    disk.isSweepable = false;
    await pruner.prune('web1');
    await until(() => log.lines.some((line) => line.startsWith('the space of removed')), 'the warning');
  });

  test('before a disk is unmounted a host is pruned though its earlier backup failed, and the sweep is over', async () => {
    await bed.lifecycle.start();
    const failing = await bed.lifecycle.trigger({ host: 'web1', type: 'auto', requestId: null });
    (await bed.parts.executor.next()).die();
    await bed.ended(failing.id);
    await pruner.quietDisk(bed.parts.catalog.host('web1'), true);
    expect(left()).toHaveLength(2);
    expect(disk.done.at(-1)).toMatch(/^sweep/);
  });

  test('what the disk refuses stays in the records', async () => {
    disk.broken = names[1] ?? '';
    await expect(pruner.prune('web1')).rejects.toMatchObject({ reason: 'BACKUPDIR_UNUSABLE' });
    expect(left()).toEqual([names[3], names[2], names[1]]);
  });

  test('prunes all hosts when it starts, and a host when its backup has ended', async () => {
    await bed.lifecycle.start();
    pruner.start();
    await until(() => left().length === 2, 'the first pass');
    const run = await bed.lifecycle.trigger({ host: 'web1', type: 'auto', requestId: null });
    const backup = await bed.parts.executor.next();
    const made = snapshotOf(backup.task, new Date(Date.UTC(2026, 10, 22, 20)), { type: 'full' });
    backup.finish({ snapshot: made });
    await bed.ended(run.id);
    await until(() => left().join() === [made.name, names[3]].join(), 'the pass after the backup');
  });

  test('a disk that hangs delays no other, and is not asked again while it does', async () => {
    bed.parts.catalog.replaceHosts([
      sampleHost({ name: 'stuck', backupdir: '/hangs', keep }),
      sampleHost({ name: 'stuck-too', backupdir: '/hangs', keep }),
      sampleHost({ keep }),
    ]);
    await bed.parts.catalog.record(sampleSnapshot('stuck', names[0] ?? ''));
    let questions = 0;
    const release: (() => void)[] = [];
    const locate = disk.locate.bind(disk);
    disk.locate = async (snapshots) => {
      if (snapshots[0]?.host === 'stuck') {
        questions += 1;
        await new Promise<void>((resolve) => release.push(resolve));
      }
      return locate(snapshots);
    };
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    pruner.start();
    await until(() => left().length === 2, 'the first pass over the other disk');
    await until(() => disk.done.some((step) => step.startsWith('sweep')), 'its sweep');
    await bed.parts.catalog.record(sampleSnapshot('web1', '2026-11-05_20-00-05f'));
    await vi.advanceTimersByTimeAsync(3_600_000);
    await until(() => left()[1] === names[3] && left().length === 2, 'the second one');
    expect(questions).toBe(1);
    for (const answer of release) answer();
  });

  test('removes nothing while the newest backup failed, and goes on when one succeeded', async () => {
    await bed.lifecycle.start();
    const failing = await bed.lifecycle.trigger({ host: 'web1', type: 'auto', requestId: null });
    (await bed.parts.executor.next()).die();
    await bed.ended(failing.id);
    const { frozen } = await pruner.prune('web1');
    expect(frozen).toContain('the newest backup failed');
    expect(left()).toHaveLength(4);
    const good = await bed.lifecycle.trigger({ host: 'web1', type: 'auto', requestId: null });
    const backup = await bed.parts.executor.next();
    backup.finish({ snapshot: snapshotOf(backup.task, new Date(Date.UTC(2026, 10, 22, 20))) });
    await bed.ended(good.id);
    expect((await pruner.prune('web1')).frozen).toBe('');
    expect(left()).toEqual(['2026-11-22_20-00-00i', names[3]]);
  });

  test('removes the older of two held ones, also of a host without keep', async () => {
    const heldFor = [{ code: 'SHRUNK', source: '/etc', message: 'it has shrunk' }] as const;
    bed.parts.catalog.replaceHosts([sampleHost({ keep: null })]);
    const held = ['2026-11-05_20-00-05i', '2026-11-06_20-00-05i'];
    for (const name of held) await bed.parts.catalog.record({ ...sampleSnapshot('web1', name), heldFor });
    pruner.start();
    await until(() => left().length === 5, 'the pass');
    expect(left()[0]).toBe(held[1]);
    expect(left()).not.toContain(held[0]);
  });

  test('a held one is acknowledged on the disk and then in the records, or put into the trash', async () => {
    const heldFor = [{ code: 'SHRUNK', source: '/etc', message: 'it has shrunk' }] as const;
    const name = '2026-11-05_20-00-05i';
    const held = { ...sampleSnapshot('web1', name), heldFor };
    await bed.parts.catalog.record(held);
    const put = vi.fn(async () => sampleTrash);
    const parts = { ...bed.parts, disk, pruner, trash: { put }, log };
    const discard = () => discardHeld(parts, 'web1', { name, by: 'ann' });
    expect((await pruner.prune('web1')).frozen).toContain(`${name} is held`);
    expect(await acknowledge(parts, 'web1', name)).toEqual({ ...held, heldFor: [] });
    expect(disk.done).toEqual([`release ${name}`]);
    expect(bed.parts.catalog.snapshot('web1', name).heldFor).toEqual([]);
    expect((await pruner.judge('web1')).frozen).toBe('');
    for (const again of [() => acknowledge(parts, 'web1', name), discard])
      await expect(again()).rejects.toMatchObject({ reason: 'SNAPSHOT_NOT_HELD' });
    await expect(acknowledge(parts, 'web1', 'x')).rejects.toMatchObject({ reason: 'SNAPSHOT_NOT_FOUND' });
    await bed.parts.catalog.record(held);
    await discard();
    expect(put).toHaveBeenCalledWith(held, 'ann');
  });

  test.each(['DISK_FULL', 'DISK_SPACE_LOW'] as const)(
    'removes also when the newest backup failed with %s, since nothing else can help then',
    async (reason) => {
      await bed.lifecycle.start();
      // One that failed for another reason before must not stand in the way for ever.
      const first = await bed.lifecycle.trigger({ host: 'web1', type: 'auto', requestId: null });
      (await bed.parts.executor.next()).die();
      await bed.ended(first.id);
      expect((await pruner.judge('web1')).frozen).not.toBe('');
      const second = await bed.lifecycle.trigger({ host: 'web1', type: 'auto', requestId: null });
      const error = new BusyError(reason, { host: 'web1', backupdir: '/srv', detail: 'x', expiry: 'y' });
      (await bed.parts.executor.next()).finish({ error: error.toFailure() });
      await bed.ended(second.id);
      const frozenAfterRestart = async (): Promise<number> => {
        const reopened = await bed.reopen();
        await reopened.lifecycle.start();
        const failures = reopened.lifecycle.failuresAgainstExpiry('web1');
        await reopened.close();
        return failures;
      };
      expect(bed.lifecycle.failuresInRow('web1')).toBe(2);
      expect(await pruner.expire(bed.parts.catalog.hosts())).toBe(2);
      expect(left()).toEqual([names[3], names[2]]);
      expect(disk.done.at(-1)).toMatch(/^sweep/);
      expect(await frozenAfterRestart()).toBe(0);
    },
  );

  test('expires the hosts that can be expired, whatever becomes of others', async () => {
    disk.broken = names[1] ?? '';
    expect(await pruner.expire(bed.parts.catalog.hosts())).toBe(0);
    expect(log.lines.some((line) => line.startsWith('old snapshots could not be removed'))).toBe(true);
    bed.parts.catalog.replaceHosts([sampleHost({ keep: null })]);
    expect(await pruner.expire(bed.parts.catalog.hosts())).toBe(0);
  });

  test('removes nothing of a host without keep', async () => {
    bed.parts.catalog.replaceHosts([sampleHost({ keep: null })]);
    expect((await pruner.prune('web1')).verdicts.every(({ isKept }) => isKept)).toBe(true);
    expect(left()).toHaveLength(4);
  });

  test('a fault of one pass is told in the log, and the next one, an hour later, goes on', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    disk.broken = names[0] ?? '';
    pruner.start();
    await until(() => log.lines.length > 0, 'the fault to be told');
    expect(log.lines[0]).toContain('BACKUPDIR_UNUSABLE');
    disk.broken = null;
    vi.advanceTimersByTime(3_599_000);
    expect(left()).toHaveLength(4);
    vi.advanceTimersByTime(1000);
    await until(() => left().length === 2, 'the next pass');
  });
});
