import { readFile, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { BackupType, JobState, RunState } from '../../src/gen/busy/v1/run.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { partialDirs } from '../helpers/host-store.js';
import { runPids } from '../helpers/run-processes.js';
import { mountSmallDisk, type SmallDisk } from '../helpers/small-disk.js';
import { expectBackup, takeStock } from '../helpers/stock.js';
import { TestBed } from '../helpers/test-bed.js';
import { inodeOf, writeFiles } from '../helpers/tree-listing.js';

const host = 'web1';

describe.each(['server', 'client'])('a backup disk that is full, initiator %s', (initiator) => {
  let bed: TestBed;
  let disk: SmallDisk;
  let source: string;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    disk = await mountSmallDisk(bed.backupdir, '2m');
    source = join(bed.directory, 'source');
    const second = join(bed.directory, 'second-source');
    await writeFiles(source, { kept: 100_000, 'deep/kept': 1000 });
    await writeFiles(second, { kept: 1000 });
    await bed.configure([
      bed.hostAt(sshd, { name: host, srcdirs: [source, second], initiator, min_free: 0 }),
    ]);
    await bed.startDaemon();
  });
  afterAll(async () => {
    await bed.stopDaemon();
    await disk.unmount();
    await bed.end();
  });

  test('harms nothing, and once there is space the next backup goes on', async () => {
    await expectBackup(bed, host, source);
    const expectUnchanged = await takeStock(bed, host);
    await writeFiles(source, { added: 500_000, large: 3_000_000 });

    for (const attempt of ['first', 'second', 'third']) {
      const run = await bed.backUp(host);
      const failure = { state: RunState.FAILED, snapshot: '', error: { reason: 'DISK_FULL' } };
      expect(run, attempt).toMatchObject(failure);
      expect(run.error?.message).toMatch(/^The backup disk is full: .*no space left on device/i);
      expect(run.error?.advice).toMatch(/^Free space below backupdir\. No snapshot was harmed/);
      await expectUnchanged();
    }
    expect(await runPids(bed)).toEqual([]);
    await expectUsableDaemon();

    const [left = ''] = await partialDirs(bed, host);
    const copied = await inodeOf(join(left, 'data', source, 'added'));
    await disk.resize('16m');
    const next = await expectBackup(bed, host, source);
    expect(next.jobs.map(({ state }) => state)).toEqual([JobState.SUCCEEDED, JobState.SUCCEEDED]);
    expect(await inodeOf(join(bed.snapshotPath(next), 'data', source, 'added'))).toBe(copied);
  });

  async function expectUsableDaemon(): Promise<void> {
    const client = bed.info;
    const answer = callMethod(client, DaemonServiceService.getDaemonInfo, {});
    const { disks } = await answer.finally(() => client.close());
    expect(disks.map(({ backupdir }) => backupdir)).toEqual([bed.backupdir]);
    expect(disks[0]?.totalBytes).toBe(2 * 1024 ** 2);
  }
});

describe('a backup disk without inodes', () => {
  let bed: TestBed;
  let disk: SmallDisk;
  let source: string;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    disk = await mountSmallDisk(bed.backupdir, '16m');
    source = join(bed.directory, 'source');
    await writeFiles(source, { one: 1000, 'deep/two': 2000 });
    await bed.configure([bed.hostAt(sshd, { name: host, srcdirs: [source], min_free: 0 })]);
    await bed.startDaemon();
  });
  afterAll(async () => {
    await bed.stopDaemon();
    await disk.unmount();
    await bed.end();
  });

  test('fails at whatever step the last one is used up, harms nothing, and keeps what it copied', async () => {
    await expectBackup(bed, host, source);
    const expectUnchanged = await takeStock(bed, host);
    await writeFiles(source, { three: 3000 });
    const failedAt: string[] = [];
    for (let left = 1; ; left++) {
      const { files, ffree } = await statfs(bed.backupdir);
      await disk.limitInodes(files - ffree + left);
      const run = await bed.backUp(host, BackupType.INCREMENTAL);
      if (run.state === RunState.SUCCEEDED) break;
      expect(run, `${left} inodes: ${JSON.stringify(run.error)}`).toMatchObject({
        error: { reason: 'DISK_FULL' },
      });
      expect(run.snapshot).toBe('');
      await expectUnchanged();
      const isCopied = (await bed.readRunLog(run.id)).includes('job 1 SUCCEEDED');
      failedAt.push(isCopied ? 'commit' : 'copy');
      await disk.limitInodes(files);
      const [partial = ''] = await partialDirs(bed, host);
      if (isCopied) await inodeOf(join(partial, 'data', source, 'three'));
      await rm(partial, { recursive: true, force: true });
      expect(left).toBeLessThan(100);
    }
    await disk.limitInodes(100_000);
    expect(new Set(failedAt)).toEqual(new Set(['copy', 'commit']));
    await expectBackup(bed, host, source);
  });
});

describe('a backup disk that becomes full when all is copied', () => {
  let bed: TestBed;
  let disk: SmallDisk;

  beforeAll(async () => {
    bed = await TestBed.create();
    disk = await mountSmallDisk(bed.backupdir, '16m');
  });
  afterAll(async () => {
    await bed.stopDaemon();
    await disk.unmount();
    await bed.end();
  });

  test('leaves a partial snapshot that the next backup may trust as a whole', async () => {
    const sshd = await bed.startSshd();
    const source = join(bed.directory, 'source');
    await writeFiles(source, { file: 300_000 });
    // Its log, of which the snapshot gets a copy, has more than there is space for.
    const pre_command = 'for line in $(seq 500); do printf "%0400d\\n" $line; done';
    await bed.configure([bed.hostAt(sshd, { name: host, srcdirs: [source], min_free: 0, pre_command })]);
    await bed.startDaemon();
    await disk.resize('420k');
    const run = await bed.backUp(host);
    expect(run, JSON.stringify(run.error)).toMatchObject({ error: { reason: 'DISK_FULL' } });
    expect(run.jobs.map(({ state }) => state)).toEqual([JobState.SUCCEEDED]);
    const [partial = ''] = await partialDirs(bed, host);
    const mark = JSON.parse(await readFile(join(partial, 'partial.json'), 'utf8')) as object;
    expect(mark).toMatchObject({ isFlushed: true });
    const copied = await inodeOf(join(partial, 'data', source, 'file'));
    await disk.resize('16m');
    const next = await expectBackup(bed, host, source);
    expect(await inodeOf(join(bed.snapshotPath(next), 'data', source, 'file'))).toBe(copied);
  });
});
