import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareTrees } from '../../clients/quickstart/compare-trees.js';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupType, JobState, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { listedSnapshots } from '../helpers/host-store.js';
import { expectBackup } from '../helpers/stock.js';
import { TestBed, type HostSettings } from '../helpers/test-bed.js';
import { inodeOf, listTree, writeFiles } from '../helpers/tree-listing.js';

const runFile = promisify(execFile);

/** rsync on the host that may not read everything; as another user it may not, as root without these rights. */
const limitedRsync =
  process.getuid?.() === 0 ? 'setpriv --bounding-set=-dac_override,-dac_read_search rsync' : 'rsync';

describe('an incremental backup', () => {
  let bed: TestBed;
  let sshd: PrivateSshd;

  beforeAll(async () => {
    bed = await TestBed.create();
    sshd = await bed.startSshd();
    const host = (name: string, settings: Partial<HostSettings> = {}) =>
      bed.hostAt(sshd, { name, srcdirs: [sourceOf(name)], ...settings });
    const many = ['', '/inner', '/inner/most'].map((below) => `${sourceOf('many')}/tree${below}`);
    await bed.configure([
      host('pull', { initiator: 'server' }),
      host('push', { initiator: 'client' }),
      host('many', {
        srcdirs: [...many, `${sourceOf('many')}/other [1] *`],
        excludes: ['/top', '*.tmp', 'cache/'],
        jobs_at_once: 3,
      }),
      host('weeks', { max_age_full: 0 }),
      host('partial', { rsync_path: limitedRsync }),
      host('max', { max_incr: 2 }),
      host('quick'),
    ]);
    for (const name of ['weeks', 'partial', 'max', 'quick']) {
      await writeFiles(sourceOf(name), { one: 5000, 'deep/two': 5000 });
    }
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  test.each(['pull', 'push'])(
    'links what is unchanged, and changes nothing of its base: %s',
    async (host) => {
      const source = sourceOf(host);
      await makeSource(source);
      const full = await expectBackup(bed, host, source);
      expect(full).toMatchObject({ type: BackupType.FULL, typeReason: 'there is no full snapshot yet' });
      const before = await listTree(bed.snapshotPath(full));
      await changeSource(source);

      const incremental = await expectBackup(bed, host, source);
      expect(incremental.type).toBe(BackupType.INCREMENTAL);
      expect(await listTree(bed.snapshotPath(full))).toEqual(before);
      const isShared = async (name: string): Promise<boolean> =>
        (await inodeOf(fileIn(full, name))) === (await inodeOf(fileIn(incremental, name)));
      for (const name of ['same', 'deep/same', 'link']) expect(await isShared(name), name).toBe(true);
      const changed = ['content', 'same-size', 'mode', 'time', 'attribute', 'owner', 'replaced'];
      for (const name of changed) expect(await isShared(name), name).toBe(false);
      expect(await readFile(fileIn(incremental, 'mode'))).toEqual(await readFile(fileIn(full, 'mode')));
      await expect(inodeOf(fileIn(incremental, 'deleted'))).rejects.toThrow('ENOENT');
      await expect(inodeOf(fileIn(incremental, 'deleted-deep'))).rejects.toThrow('ENOENT');

      const again = await expectBackup(bed, host, source);
      expect(await listTree(bed.snapshotPath(full))).toEqual(before);
      expect(again.jobs[0]?.stats).toMatchObject({ filesTransferred: 0, transferredBytes: 0 });
      for (const name of ['content', 'mode', 'same']) {
        expect(await inodeOf(fileIn(again, name)), name).toBe(await inodeOf(fileIn(incremental, name)));
      }
    },
  );

  test('keeps nested source directories and excludes apart, with several jobs at once', async () => {
    const files = {
      file: 100,
      top: 100,
      'a.tmp': 100,
      'cache/file': 100,
      'deep/top': 100,
      'deep/cache': 100,
    };
    const tree = join(sourceOf('many'), 'tree');
    const directories = [tree, join(tree, 'inner'), join(tree, 'inner/most')];
    directories.push(join(sourceOf('many'), 'other [1] *'));
    for (const directory of directories) await writeFiles(directory, files);
    await chmod(join(tree, 'inner'), 0o711);
    await utimes(join(tree, 'inner/most'), 1_000_000_000, 1_000_000_000);
    const excludes = ['/top', '/inner/top', '/inner/most/top', '*.tmp', 'cache/'];

    const full = await bed.backUp('many');
    const incremental = await bed.backUp('many');
    for (const run of [full, incremental]) {
      expect(run.state).toBe(RunState.SUCCEEDED);
      expect(run.jobs.map(({ source }) => source)).toEqual(directories);
      expect(run.jobs.every(({ state }) => state === JobState.SUCCEEDED)).toBe(true);
      for (const directory of [directories[0] ?? '', directories[3] ?? '']) {
        const copy = join(bed.snapshotPath(run), 'data', directory);
        expect(await compareTrees(directory, copy, excludes)).toEqual([]);
        for (const name of ['top', 'a.tmp', 'cache']) {
          await expect(inodeOf(join(copy, name))).rejects.toThrow('ENOENT');
        }
      }
      const inner = join(bed.snapshotPath(run), 'data', tree, 'inner');
      await expect(inodeOf(join(inner, 'top'))).rejects.toThrow('ENOENT');
    }
    for (const directory of directories) {
      const [old, young] = [full, incremental].map((run) => join(bed.snapshotPath(run), 'data', directory));
      expect(await inodeOf(join(young ?? '', 'deep/top'))).toBe(await inodeOf(join(old ?? '', 'deep/top')));
    }
  });

  test('fault 2: links to whatever there is, also after weeks and when the last base is gone', async () => {
    const source = sourceOf('weeks');
    const full = await expectBackup(bed, 'weeks', source);
    const inode = await inodeOf(fileIn(full, 'one'));
    const old = '2020-01-01_03-00-00f';
    await rename(bed.snapshotPath(full), join(bed.backupdir, 'weeks', old));

    const run = await expectBackup(bed, 'weeks', source, BackupType.INCREMENTAL);
    expect(run).toMatchObject({ type: BackupType.INCREMENTAL, typeReason: 'incremental was asked for' });
    expect(await inodeOf(fileIn(run, 'one'))).toBe(inode);
    expect(await bed.readRunLog(run.id)).toContain(`unchanged files become links into ${old}`);
    expect(run.jobs[0]?.stats).toMatchObject({ filesTransferred: 0 });

    const path = join(bed.backupdir, 'weeks');
    await rename(join(path, old), join(path, old.replace('f', 'x')));
    await rename(bed.snapshotPath(run), join(path, '2020-01-02_03-00-00i'));
    const alone = await expectBackup(bed, 'weeks', source, BackupType.INCREMENTAL);
    expect(alone.type).toBe(BackupType.INCREMENTAL);
    expect(await inodeOf(fileIn(alone, 'one'))).toBe(inode);

    const due = await expectBackup(bed, 'weeks', source);
    expect(due.type).toBe(BackupType.FULL);
    expect(due.typeReason).toMatch(/^the youngest full snapshot is .* days old, and max_age_full is 0$/);
    expect(await inodeOf(fileIn(due, 'one'))).not.toBe(inode);
  });

  test('is a full one, and says so, when there is nothing to link to', async () => {
    await writeFiles(sourceOf('quick'), { three: 100 });
    const run = await expectBackup(bed, 'quick', sourceOf('quick'), BackupType.INCREMENTAL);
    expect(run).toMatchObject({
      type: BackupType.FULL,
      requestedType: BackupType.INCREMENTAL,
      typeReason: 'there is no snapshot on the disk to link to',
    });
    expect(run.snapshot).toMatch(/f$/);
  });

  test('links to a partial snapshot, and adds what was missing there', async () => {
    const source = sourceOf('partial');
    await writeFiles(source, { secret: 'not for everybody' });
    await chmod(join(source, 'secret'), 0);
    const partial = await bed.backUp('partial');
    expect(partial).toMatchObject({ state: RunState.PARTIAL, error: { reason: 'FILES_MISSING' } });
    expect(partial.jobs[0]?.missingFiles).toEqual([
      { path: join(source, 'secret'), why: 'Permission denied (13)' },
    ]);
    const before = await listTree(bed.snapshotPath(partial));

    await chmod(join(source, 'secret'), 0o400);
    const run = await expectBackup(bed, 'partial', source, BackupType.INCREMENTAL);
    expect(await inodeOf(fileIn(run, 'one'))).toBe(await inodeOf(fileIn(partial, 'one')));
    expect(run.jobs[0]?.stats).toMatchObject({ filesTransferred: 1 });
    expect(await listTree(bed.snapshotPath(partial))).toEqual(before);
  });

  test('is followed by a full one after max_incr, which shares nothing', async () => {
    const runs: Run[] = [];
    for (let count = 0; count < 4; count++) runs.push(await expectBackup(bed, 'max', sourceOf('max')));
    const [full, incremental] = [BackupType.FULL, BackupType.INCREMENTAL];
    expect(runs.map(({ type }) => type)).toEqual([full, incremental, incremental, full]);
    expect(runs.at(-1)?.typeReason).toContain('max_incr is 2');
    const inodes = await Promise.all(runs.map((run) => inodeOf(fileIn(run, 'deep/two'))));
    expect(new Set(inodes.slice(0, 3)).size).toBe(1);
    expect(inodes[3]).not.toBe(inodes[0]);
    expect(await listedSnapshots(bed, 'max')).toEqual(runs.map(({ snapshot }) => snapshot));
  });

  test('has a name after all others, within one second and after the clock was set back', async () => {
    const names: string[] = [];
    for (let count = 0; count < 3; count++) names.push((await bed.backUp('quick')).snapshot);
    await mkdir(join(bed.backupdir, 'quick', '2099-12-31_23-59-59i'));
    names.push((await bed.backUp('quick')).snapshot, (await bed.backUp('quick')).snapshot);
    expect(names.slice(3)).toEqual(['2100-01-01_00-00-00i', '2100-01-01_00-00-01i']);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual([...names].sort());
    expect((await listedSnapshots(bed, 'quick')).slice(-5)).toEqual(names);
  });

  function sourceOf(host: string): string {
    return join(bed.directory, 'source', host);
  }

  function fileIn(run: Run, name: string): string {
    return join(bed.snapshotPath(run), 'data', sourceOf(run.host), name);
  }
});

async function makeSource(source: string): Promise<void> {
  const names = ['same', 'content', 'same-size', 'mode', 'time', 'attribute', 'owner', 'replaced', 'deleted'];
  await writeFiles(source, Object.fromEntries(names.map((name) => [name, 3000])));
  await writeFiles(source, { 'deep/same': 3000, 'deleted-deep/file': 100 });
  await runFile('ln', ['-s', 'same', join(source, 'link')]);
}

async function changeSource(source: string): Promise<void> {
  await writeFiles(source, { content: 4000, 'same-size': 3000, new: 10 });
  await chmod(join(source, 'mode'), 0o600);
  await utimes(join(source, 'time'), 1_000_000_000, 1_000_000_000.5);
  await runFile('setfattr', ['-n', 'user.busy', '-v', 'changed', join(source, 'attribute')]);
  if (process.getuid?.() === 0) await runFile('chown', ['1234:1234', join(source, 'owner')]);
  else await chmod(join(source, 'owner'), 0o600);
  for (const name of ['replaced', 'deleted', 'deleted-deep'])
    await rm(join(source, name), { recursive: true });
  await mkdir(join(source, 'replaced'));
  await writeFile(join(source, 'replaced/file'), 'a directory now');
}
