/** What an archived snapshot gives back: the same as the snapshot did, by restores, downloads and drills. */
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DownloadFormat } from '../../src/gen/busy/v1/download.js';
import { parseSnapshotName } from '../../src/core/snapshot.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { SnapshotServiceClient } from '../../src/gen/busy/v1/snapshot_service.js';
import { archive } from '../helpers/archive-calls.js';
import { compareTrees, makeFidelityTree, sparseFile } from '../helpers/fidelity-tree.js';
import { reasonOf } from '../helpers/grpc-calls.js';
import { listedSnapshots, untilSwept } from '../helpers/host-store.js';
import { askRestore, restore, toServer } from '../helpers/restores.js';
import { runCommand } from '../helpers/run-command.js';
import { TestBed } from '../helpers/test-bed.js';

const tarOptions = ['--warning=no-timestamp', '--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner'];
/** No tarball holds a socket. */
const socket = '/special/socket';

async function run(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand(program, [...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
}

describe('an archived snapshot', () => {
  let bed: TestBed;
  let tree: string;
  let made: Run;
  let tarball: string;
  /** What came from the snapshot while it was there. */
  let restored: string;
  let downloaded: string;

  const place = (): Promise<string> => mkdtemp(join(bed.directory, 'place-'));
  const word = (): string => `web1/${made.snapshot}`;

  async function busy(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await bed.busy(args);
    expect(code, `${stdout}${stderr}`).toBe(0);
    return stdout;
  }

  /** Downloads a directory and answers where it was unpacked. */
  async function download(...paths: string[]): Promise<string> {
    const directory = await place();
    await busy('download', word(), ...paths, '--format', 'tar', '--output', join(directory, '.tar'));
    await run('tar', [...tarOptions, '-xpf', join(directory, '.tar'), '-C', directory]);
    return directory;
  }

  beforeAll(async () => {
    bed = await TestBed.create();
    tree = join(bed.directory, 'above/tree');
    await makeFidelityTree(tree);
    await truncate(join(tree, sparseFile), 100 * 2 ** 20);
    const archivedir = join(bed.directory, 'archive: one');
    await mkdir(archivedir);
    await bed.configure([
      bed.hostAt(await bed.startSshd(), {
        name: 'web1',
        srcdirs: [join(bed.directory, 'above')],
        archivedir,
        archive_schedule: 'never',
        max_age: 0,
        drill_sample: 15,
        // One below another.
        drill_paths: [
          join(tree, 'hard links'),
          join(tree, 'hard links/second'),
          join(tree, 'special/socket'),
        ],
      }),
    ]);
    await bed.startDaemon();
    made = await bed.backUp('web1', BackupType.FULL);
    expect(made, JSON.stringify(made.error)).toMatchObject({ state: RunState.SUCCEEDED });
    restored = await place();
    expect(await restore(bed, { of: made, paths: [tree], target: toServer(restored) })).toMatchObject({
      state: RunState.SUCCEEDED,
      restore: { fromArchive: false },
    });
    downloaded = await download(tree);
    // The newest good one is never removed.
    const newer = await bed.backUp('web1', BackupType.FULL);
    expect(await archive(bed, 'web1', made.snapshot)).toMatchObject({ state: RunState.SUCCEEDED });
    expect(await listedSnapshots(bed, 'web1')).toEqual([newer.snapshot]);
    tarball = join(archivedir, `web1-${made.snapshot}.tar.gz`);
  }, 180_000);
  // Nothing of what was unpacked stays.
  afterEach(() => untilSwept(bed, 'web1'));
  afterAll(() => bed.end());

  test('is restored as the snapshot was, by its name and by a time', async () => {
    for (const snapshot of [
      [word()],
      ['web1', '--as-of', parseSnapshotName(made.snapshot)?.startedAt.toISOString() ?? ''],
    ]) {
      const target = await place();
      const [name = '', ...asOf] = snapshot;
      await busy('restore', name, tree, '--to-local', target, '--follow', ...asOf);
      const [before, after] = [join(restored, 'tree'), join(target, 'tree')];
      expect(await compareTrees(before, after, [socket])).toEqual([]);
    }
  }, 120_000);

  test('of the original BUSY, which has nothing beside it, is restored and downloaded', async () => {
    const name = '2011-03-27_12-30-00f';
    const kept = await place();
    const flat = join(kept, name, join(bed.directory, 'above').replaceAll('/', '_'));
    await mkdir(join(kept, name));
    await run('cp', ['-a', join(bed.directory, 'above'), flat]);
    await writeFile(join(kept, name, 'backup.log'), 'Backup finished, 0 failures\n');
    // The original knew tar.gz alone.
    for (const file of [`web1-${name}.tar.gz`, `web1-${name.replace('2011', '2012')}.tar.zst`]) {
      const options = [
        ...tarOptions.slice(1),
        '--sparse',
        file.endsWith('zst') ? '--zstd' : '--gzip',
        '--force-local',
      ];
      const renamed = ['--transform', `s/^2011/${file.slice(5, 9)}/`];
      await runCommand('tar', [
        '-cf',
        join(dirname(tarball), file),
        ...options,
        ...renamed,
        '-C',
        kept,
        name,
      ]);
      const named = `web1/${file.slice(5, 25)}`;
      const target = await place();
      await busy('restore', named, tree, '--to-local', target, '--follow');
      expect(await compareTrees(join(restored, 'tree'), join(target, 'tree'), [socket])).toEqual([]);
      const directory = await place();
      await busy(
        'download',
        named,
        join(tree, 'hard links'),
        '--format',
        'tar',
        '--output',
        join(directory, '.tar'),
      );
      await run('tar', [...tarOptions, '-xpf', join(directory, '.tar'), '-C', directory]);
      expect(await compareTrees(join(tree, 'hard links'), join(directory, tree, 'hard links'))).toEqual([]);
      await rm(join(dirname(tarball), file));
    }
  }, 120_000);

  test('is restored and downloaded too when its json was lost', async () => {
    const json = tarball.replace('.tar.gz', '.json');
    await rename(json, `${json}.lost`);
    try {
      const target = await place();
      await busy('restore', word(), tree, '--to-local', target, '--follow');
      expect(await compareTrees(join(restored, 'tree'), join(target, 'tree'), [socket])).toEqual([]);
      const again = await download(tree);
      expect(await compareTrees(join(downloaded, tree), join(again, tree))).toEqual([]);
    } finally {
      await rename(`${json}.lost`, json);
    }
  }, 120_000);

  test('that is not there is refused at once', async () => {
    const never = { ...made, snapshot: '2020-01-01_00-00-00f' };
    const asked = askRestore(bed, { of: never, paths: [tree], target: toServer(bed.directory) });
    expect(await asked.then(String, reasonOf)).toBe('SNAPSHOT_NOT_FOUND');
    for (const args of [
      ['restore', 'web1', tree, '--as-of', '2020-01-01', '--to-local', bed.directory],
      ['restore', `web1/${never.snapshot}`, tree, '--to-local', bed.directory],
      ['download', `web1/${never.snapshot}`, tree],
      ['drill', 'web1', '--snapshot', never.snapshot],
    ]) {
      const { code, stderr } = await bed.busy(args);
      expect(code).toBe(1);
      expect(stderr, args.join(' ')).toMatch(/SNAPSHOT_NOT_FOUND|NO_SNAPSHOT/);
    }
  });

  test('is downloaded as the snapshot was: a directory, all, and single files', async () => {
    const directory = await download(tree);
    expect(await compareTrees(join(downloaded, tree), join(directory, tree))).toEqual([]);
    const all = await download('/');
    expect(await compareTrees(join(downloaded, tree), join(all, tree))).toEqual([]);
    // One that is a link in the tarball, whose first name was not asked for.
    for (const name of ['first', 'second', 'other/third'])
      expect(await busy('download', word(), join(tree, 'hard links', name))).toBe('one file, three names');
    const { code, stderr } = await bed.busy(['download', word(), join(tree, 'nowhere')]);
    expect(code).toBe(1);
    expect(stderr).toContain('PATH_NOT_FOUND');
  }, 120_000);

  test('leaves nothing behind when the reader leaves', async () => {
    const client = new SnapshotServiceClient(`unix:${bed.socket}`, credentials.createInsecure());
    try {
      const stream = client.downloadFiles({
        host: 'web1',
        snapshot: made.snapshot,
        paths: [tree],
        format: DownloadFormat.TAR,
      });
      stream.on('error', () => {});
      await once(stream, 'readable');
      stream.cancel();
    } finally {
      client.close();
    }
  });

  test('or when the daemon dies', async () => {
    await bed.stopDaemon('SIGKILL');
    for (const use of ['drill', 'restore', 'download']) {
      const left = join(bed.backupdir, 'web1', `.${use}-01CRASHED`);
      await mkdir(left);
      await writeFile(join(left, 'file'), 'unpacked');
    }
    await bed.startDaemon();
  });

  test('proves by a drill that a restore works', async () => {
    const out = await busy('drill', 'web1', '--snapshot', made.snapshot, '--follow', '--json');
    expect(out).toContain('"isFromArchive":true');
    expect(await busy('host', 'web1')).toMatch(new RegExp(`Restore proven .*from ${made.snapshot}`));
    expect(await busy('drill', word(), '--follow')).toContain('SUCCEEDED');
  }, 120_000);

  test('fails a drill where its archive is not what its manifest says', async () => {
    const directory = await place();
    await run('tar', [...tarOptions, '--force-local', '-xpf', tarball, '-C', directory]);
    const changed = join(directory, made.snapshot, 'data', tree, 'hard links');
    const name = 'twin 1';
    const time = join(bed.directory, 'time');
    await run('touch', ['-r', join(changed, name), time]);
    const text = await readFile(join(changed, name), 'latin1');
    await writeFile(join(changed, name), 'X'.repeat(text.length));
    await run('touch', ['-r', time, join(changed, name)]);
    const packed = ['--force-local', '--sparse', '--format=posix', '-czf', tarball, '-C', directory];
    await run('tar', [...tarOptions, ...packed, made.snapshot]);
    const { code, stdout } = await bed.busy(['drill', word(), '--follow']);
    expect(code).toBe(1);
    expect(stdout).toContain('DRILL_FAILED');
    expect(stdout).toMatch(/content +\S+\/hard links\//);
    await rm(directory, { recursive: true });
  }, 120_000);
});
