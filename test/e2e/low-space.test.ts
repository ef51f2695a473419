/** A backup disk that is nearly full: what is removed, what is refused, and what a person is told. */
import { readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupType, RunState } from '../../src/gen/busy/v1/run.js';
import { listedSnapshots, partialDirs, untilCopying } from '../helpers/host-store.js';
import { runPids } from '../helpers/run-processes.js';
import { mountSmallDisk, type SmallDisk } from '../helpers/small-disk.js';
import { expectBackup, takeStock } from '../helpers/stock.js';
import { runCommand } from '../helpers/run-command.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { inodeOf, writeFiles } from '../helpers/tree-listing.js';

const MiB = 1024 ** 2;

describe('a backup disk with little space', () => {
  let bed: TestBed;
  let disk: SmallDisk;
  let sshd: PrivateSshd;

  beforeAll(async () => {
    bed = await TestBed.create();
    sshd = await bed.startSshd();
    disk = await mountSmallDisk(bed.backupdir, '22m');
    await writeFiles(source('web1'), { large: 7 * MiB, small: 1000 });
    await writeFiles(source('web2'), { other: 1000 });
    await configure();
    await bed.startDaemon();
  });
  afterAll(async () => {
    await bed.stopDaemon();
    await disk.unmount();
    await bed.end();
  });

  const source = (host: string): string => join(bed.directory, `source-${host}`);

  async function configure(changes: object = {}): Promise<void> {
    const settings = { min_free: '2M', ...changes };
    await bed.configure([
      bed.hostAt(sshd, { name: 'web1', srcdirs: [source('web1')], ...settings }),
      bed.hostAt(sshd, { name: 'web2', srcdirs: [source('web2')], ...settings }),
    ]);
  }

  async function reload(changes: object): Promise<void> {
    await configure(changes);
    expect((await bed.busy(['reload'])).code).toBe(0);
  }

  async function freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(bed.backupdir);
    return bavail * bsize;
  }

  test('a backup that would leave less than min_free is refused before it begins, with the figures', async () => {
    await expectBackup(bed, 'web1', source('web1'), BackupType.FULL);
    await expectBackup(bed, 'web1', source('web1'), BackupType.FULL);
    const expectUnchanged = await takeStock(bed, 'web1');
    const run = await bed.backUp('web1', BackupType.FULL);
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'DISK_SPACE_LOW' }, snapshot: '' });
    expect(run.error?.message).toMatch(
      /^The disk of .* has too little space for a backup of host "web1": \d\.\d MiB of 22\.0 MiB are free, this backup will need about 7\.0 MiB \(as much as .*f holds, measured on the disk\), min_free keeps 2\.0 MiB: .* are missing\.$/,
    );
    expect(run.error?.advice).toContain('there is no snapshot that need not be kept');
    expect(await bed.readRunLog(run.id)).toMatch(/too little space: .*\n.*still too little space/);
    expect(await partialDirs(bed, 'web1')).toEqual([]);
    expect(await runPids(bed)).toEqual([]);
    await expectUnchanged();
  });

  test('explain says it, and other hosts on the disk are backed up', async () => {
    const { stdout } = await bed.busy(['explain', 'web1']);
    expect(stdout).toMatch(/^Space +.* of 22\.0 MiB are free/m);
    expect(stdout).toMatch(/the last run failed \(DISK_SPACE_LOW\)|only by hand/);
    await expectBackup(bed, 'web2', source('web2'));
  });

  test('fault 5: what need not be kept is removed first, although the newest backup has failed; then it runs', async () => {
    await bed.backUp('web1', BackupType.FULL);
    // Only now: else the daemon would have removed it before it is needed.
    await reload({ keep: { last: 1 } });
    const [oldest = ''] = await listedSnapshots(bed, 'web1');
    const run = await expectBackup(bed, 'web1', source('web1'), BackupType.FULL);
    expect(await bed.readRunLog(run.id)).toMatch(/there is room now: one snapshot was removed/);
    expect(await listedSnapshots(bed, 'web1')).not.toContain(oldest);
    // The pruning after the backup keeps the last one only.
    await until(async () => (await listedSnapshots(bed, 'web1')).join() === run.snapshot, 'the pruning');
    await reload({});
  });

  test('a host that is failing for want of space alone is pruned too, by the hour and by hand', async () => {
    await expectBackup(bed, 'web1', source('web1'), BackupType.FULL);
    await bed.backUp('web1', BackupType.FULL);
    await reload({ keep: { last: 1 } });
    const { stdout } = await bed.busy(['prune', 'web1', '--dry-run']);
    expect(stdout).toContain('1 of 2 snapshots would be removed.');
    expect((await bed.busy(['prune', 'web1'])).code).toBe(0);
    await until(async () => (await freeBytes()) > 14 * MiB, 'the space to be free');
    await reload({});
  });

  test('one that finds more than was expected is stopped at half of min_free, and goes on when there is room', async () => {
    await reload({ min_free: '8M', bandwidth_limit: 4000 });
    const expectUnchanged = await takeStock(bed, 'web1');
    await writeFiles(source('web1'), { a: 3 * MiB, b: 3 * MiB, c: 9 * MiB });
    const run = await bed.backUp('web1', BackupType.INCREMENTAL);
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'DISK_FULL' } });
    expect(run.error?.message).toMatch(/only \d\.\d MiB are left, less than half of min_free \(8\.0 MiB\)/);
    expect(await runPids(bed)).toEqual([]);
    await expectUnchanged();
    const [partial = ''] = await partialDirs(bed, 'web1');
    const copied = await inodeOf(join(partial, 'data', source('web1'), 'a'));

    await disk.resize('64m');
    const next = await expectBackup(bed, 'web1', source('web1'));
    expect(await inodeOf(join(bed.snapshotPath(next), 'data', source('web1'), 'a'))).toBe(copied);
  });

  test('what runs counts against what wants to begin', async () => {
    await rm(source('web2'), { recursive: true });
    await writeFiles(source('web2'), { other: 6 * MiB });
    await reload({ min_free: 0 });
    await expectBackup(bed, 'web2', source('web2'), BackupType.FULL);
    await reload({ min_free: 0, bandwidth_limit: 2000 });
    // Room for one more of web1 (about 22 MiB) or of web2 (6 MiB), not for both.
    const used = 64 * MiB - (await freeBytes());
    await disk.resize(`${Math.ceil((used + 25 * MiB) / 1024)}k`);
    const large = await bed.trigger('web1', BackupType.FULL);
    await untilCopying(bed, large, { source: source('web1'), name: 'a', leastBytes: 1 });
    const refused = await bed.backUp('web2', BackupType.FULL);
    expect(refused.error).toMatchObject({ reason: 'DISK_SPACE_LOW' });
    expect(refused.error?.message).toMatch(/those that run there still want \d+\.\d MiB/);
    await bed.busy(['cancel', large.id]);
    await bed.waitForRun(large.id);
    await expectBackup(bed, 'web2', source('web2'), BackupType.FULL);
  });

  test('a disk without a free byte, on which no lock can be written, is made free by the daemon that starts', async () => {
    await disk.resize('64m');
    await reload({ min_free: 0 });
    await expectBackup(bed, 'web1', source('web1'), BackupType.FULL);
    await bed.stopDaemon();
    const filler = join(bed.backupdir, 'filler');
    await runCommand('sh', ['-c', 'cat /dev/zero > "$1"', 'fill', filler]);
    expect(await freeBytes()).toBe(0);
    await configure({ min_free: '1M', keep: { last: 1 } });
    await bed.startDaemon();
    await until(async () => (await listedSnapshots(bed, 'web1')).length === 1, 'the pruning');
    await until(async () => (await freeBytes()) > 4 * MiB, 'the space to be free');
    const names = await readdir(bed.backupdir);
    expect(names.filter((name) => name.startsWith('.busyd.lock.'))).toEqual([]);
    await expectBackup(bed, 'web2', source('web2'));
  });
});
