import { chmod, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareTrees } from '../../clients/quickstart/compare-trees.js';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupServiceService } from '../../src/gen/busy/v1/backup_service.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { listedSnapshots, partialDirs, untilCopying, untilSwept } from '../helpers/host-store.js';
import { executorPids, runPids } from '../helpers/run-processes.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { inodeOf, listTree, writeFiles } from '../helpers/tree-listing.js';

const smallFiles = ['a1', 'a2', 'a3', 'deep/b'];
const smallBytes = 50_000;
/** In the order of rsync the last. */
const large = 'z/large';
const largeBytes = 3_000_000;

describe('the backup after an unfinished one', () => {
  let bed: TestBed;
  let sshd: PrivateSshd;

  beforeAll(async () => {
    bed = await TestBed.create();
    sshd = await bed.startSshd();
    const names = ['cancel', 'cancel-push', 'cut', 'kill', 'mode', 'boot', 'damaged-mark', 'full', 'short'];
    for (const name of names) {
      await writeFiles(sourceOf(name), Object.fromEntries(smallFiles.map((file) => [file, smallBytes])));
    }
    const host = (name: string) =>
      bed.hostAt(sshd, {
        name,
        srcdirs: [sourceOf(name)],
        bandwidth_limit: 1500,
        initiator: name.endsWith('-push') ? 'client' : 'server',
      });
    await bed.configure(names.map(host));
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  test.each([
    ['cancel', cancel, RunState.CANCELLED],
    ['cancel-push', cancel, RunState.CANCELLED],
    ['cut', cutConnection, RunState.FAILED],
    ['kill', killExecutor, RunState.FAILED],
  ] as const)('takes what was copied: after %s', async (host, breakOff, state) => {
    await writeFiles(sourceOf(host), { [large]: largeBytes });
    const broken = await breakInTheMiddle(host, BackupType.AUTO, breakOff);
    expect(broken).toMatchObject({ state, snapshot: '' });
    const left = await onlyPartial(host);
    const copied = await inodesOf(dataIn(left, host), smallFiles);
    const cutAt = (await stat(join(dataIn(left, host), large))).size;
    expect(cutAt).toBeGreaterThan(0);
    expect(cutAt).toBeLessThan(largeBytes);

    const next = await bed.backUp(host);
    expect(next).toMatchObject({ state: RunState.SUCCEEDED, type: BackupType.FULL });
    const snapshot = bed.snapshotPath(next);
    expect(await inodesOf(dataIn(snapshot, host), smallFiles)).toEqual(copied);
    expect(await compareTrees(sourceOf(host), dataIn(snapshot, host))).toEqual([]);
    const stats = next.jobs[0]?.stats;
    expect(stats?.totalBytes).toBe(largeBytes + smallFiles.length * smallBytes);
    expect(stats).toMatchObject({ filesTransferred: 1, transferredBytes: largeBytes });
    // A block at the cut is not whole, and so comes again.
    const literalBytes = await literalBytesOf(snapshot);
    expect(literalBytes).toBeLessThanOrEqual(largeBytes - cutAt + 10_000);
    expect(stats?.receivedBytes).toBeLessThan(literalBytes + 100_000);
    await untilSwept(bed, host);
  });

  test('leaves older snapshots as they are when a mode has changed meanwhile', async () => {
    const host = 'mode';
    const first = await bed.backUp(host);
    const before = await listTree(bed.snapshotPath(first));
    await writeFiles(sourceOf(host), { [large]: largeBytes });
    await breakInTheMiddle(host, BackupType.INCREMENTAL, cancel);
    const left = await onlyPartial(host);
    const unchanged = await inodesOf(dataIn(bed.snapshotPath(first), host), smallFiles);
    expect(await inodesOf(dataIn(left, host), smallFiles)).toEqual(unchanged);

    await chmod(join(sourceOf(host), 'a1'), 0o604);
    await chmod(join(sourceOf(host), 'deep'), 0o711);
    const next = await bed.backUp(host, BackupType.INCREMENTAL);
    expect(next).toMatchObject({ state: RunState.SUCCEEDED, type: BackupType.INCREMENTAL });
    expect(await listTree(bed.snapshotPath(first))).toEqual(before);
    expect(await compareTrees(sourceOf(host), dataIn(bed.snapshotPath(next), host))).toEqual([]);
    const [a1, ...others] = await inodesOf(dataIn(bed.snapshotPath(next), host), smallFiles);
    expect(a1).not.toBe(unchanged[0]);
    expect(others).toEqual(unchanged.slice(1));
    await untilSwept(bed, host);
  });

  test('compares contents when the machine was restarted before they were flushed', async () => {
    const host = 'boot';
    await writeFiles(sourceOf(host), { [large]: largeBytes });
    await breakInTheMiddle(host, BackupType.AUTO, cancel);
    const left = await onlyPartial(host);
    const [, intact] = await inodesOf(dataIn(left, host), smallFiles);
    await loseContent(join(dataIn(left, host), 'a1'));
    const markFile = join(left, 'partial.json');
    const mark = JSON.parse(await readFile(markFile, 'utf8')) as Record<string, unknown>;
    expect(mark).toMatchObject({ isFlushed: true, type: 'full' });
    await writeFile(markFile, JSON.stringify({ ...mark, bootId: 'of another boot', isFlushed: false }));

    const next = await bed.backUp(host);
    expect(next.state).toBe(RunState.SUCCEEDED);
    expect(await compareTrees(sourceOf(host), dataIn(bed.snapshotPath(next), host))).toEqual([]);
    expect(await inodeOf(join(dataIn(bed.snapshotPath(next), host), 'a2'))).toBe(intact);
    expect(await bed.readRunLog(next.id)).toContain('contents are compared');
  });

  test('takes nothing from a directory whose mark is damaged', async () => {
    const host = 'damaged-mark';
    await writeFiles(sourceOf(host), { [large]: largeBytes });
    await breakInTheMiddle(host, BackupType.AUTO, cancel);
    const left = await onlyPartial(host);
    await loseContent(join(dataIn(left, host), 'a1'));
    await writeFile(join(left, 'partial.json'), '{"runId":');

    const next = await bed.backUp(host);
    expect(next.state).toBe(RunState.SUCCEEDED);
    expect(await compareTrees(sourceOf(host), dataIn(bed.snapshotPath(next), host))).toEqual([]);
    await untilSwept(bed, host);
  });

  test('takes what a long one copied also after many short ones', async () => {
    const host = 'short';
    await writeFiles(sourceOf(host), { [large]: largeBytes });
    await breakInTheMiddle(host, BackupType.AUTO, cancel);
    const [long = ''] = await partialDirs(bed, host);
    const cutAt = (await stat(join(dataIn(long, host), large))).size;
    for (let left = 2; left <= 5; left++) {
      const run = await bed.trigger(host);
      await until(async () => (await partialDirs(bed, host)).length === left, 'a partial directory');
      await cancel(bed, sshd, run);
      await bed.waitForRun(run.id);
    }

    const next = await bed.backUp(host);
    expect(next.state).toBe(RunState.SUCCEEDED);
    expect(await literalBytesOf(bed.snapshotPath(next))).toBeLessThanOrEqual(largeBytes - cutAt + 10_000);
    await untilSwept(bed, host);
  });

  test('takes nothing from an incremental when it is a full one', async () => {
    const host = 'full';
    const first = await bed.backUp(host);
    const before = await listTree(bed.snapshotPath(first));
    await writeFiles(sourceOf(host), { [large]: largeBytes });
    await breakInTheMiddle(host, BackupType.INCREMENTAL, cancel);
    const old = await inodesOf(dataIn(await onlyPartial(host), host), [...smallFiles, large]);

    const full = await bed.backUp(host, BackupType.FULL);
    expect(full).toMatchObject({ state: RunState.SUCCEEDED, type: BackupType.FULL });
    const own = await inodesOf(dataIn(bed.snapshotPath(full), host), [...smallFiles, large]);
    expect(own.filter((inode) => old.includes(inode))).toEqual([]);
    for (const file of smallFiles) {
      expect((await stat(join(dataIn(bed.snapshotPath(full), host), file))).nlink).toBe(1);
    }
    expect(full.jobs[0]?.stats?.transferredBytes).toBe(largeBytes + smallFiles.length * smallBytes);
    expect(await listTree(bed.snapshotPath(first))).toEqual(before);
    await untilSwept(bed, host);
  });

  /** Starts a backup, and breaks it off when the small files are there and the large one is on its way. */
  async function breakInTheMiddle(
    host: string,
    type: BackupType,
    breakOff: (bed: TestBed, sshd: PrivateSshd, run: Run) => Promise<void>,
  ): Promise<Run> {
    const listed = await listedSnapshots(bed, host);
    const run = await bed.trigger(host, type);
    await untilCopying(bed, run, { source: join(sourceOf(host), 'z'), name: 'large', leastBytes: 300_000 });
    await breakOff(bed, sshd, run);
    const ended = await bed.waitForRun(run.id);
    await until(async () => (await runPids(bed, sshd)).length === 0, 'the processes of the run to end');
    expect(await listedSnapshots(bed, host)).toEqual(listed);
    return ended;
  }

  async function onlyPartial(host: string): Promise<string> {
    const partials = await partialDirs(bed, host);
    expect(partials).toHaveLength(1);
    return partials[0] ?? '';
  }

  function sourceOf(host: string): string {
    return join(bed.directory, 'source', host);
  }

  function dataIn(snapshot: string, host: string): string {
    return join(snapshot, 'data', sourceOf(host));
  }
});

async function cancel(bed: TestBed, _sshd: PrivateSshd, { id }: Run): Promise<void> {
  const client = bed.backups;
  await callMethod(client, BackupServiceService.cancelRun, { id }).finally(() => client.close());
}

async function cutConnection(_bed: TestBed, sshd: PrivateSshd): Promise<void> {
  await sshd.kill();
  await sshd.restart();
}

async function killExecutor(bed: TestBed): Promise<void> {
  for (const pid of await executorPids(bed)) process.kill(pid, 'SIGKILL');
}

function inodesOf(directory: string, files: readonly string[]): Promise<number[]> {
  return Promise.all(files.map((file) => inodeOf(join(directory, file))));
}

/** What a power failure does to a file that was not flushed: its size and times are there, its content is not. */
async function loseContent(file: string): Promise<void> {
  const { size, atime, mtime } = await stat(file);
  await writeFile(file, Buffer.alloc(size));
  await utimes(file, atime, mtime);
}

/** How much of the files' contents came over the network. */
async function literalBytesOf(snapshot: string): Promise<number> {
  const log = await readFile(join(snapshot, 'job-1.log'), 'utf8');
  return Number(/^Literal data: (\d+)/m.exec(log)?.[1]);
}
