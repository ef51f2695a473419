import { link, mkdir, readdir, readFile, rename, rm, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { compareTrees } from '../helpers/fidelity-tree.js';
import { archiveByHand } from '../helpers/hand-made-archive.js';
import { original, restore, toHost, toServer, type Wanted } from '../helpers/restores.js';
import { runCommand } from '../helpers/run-command.js';
import { mountForgetfulDisk, mountSmallDisk } from '../helpers/small-disk.js';
import { TestBed } from '../helpers/test-bed.js';
import { inodeOf, writeFiles } from '../helpers/tree-listing.js';

describe('a snapshot that was archived', () => {
  let bed: TestBed;
  let source: string;
  let made: Run;
  let target: string;

  beforeAll(async () => {
    bed = await TestBed.create();
    source = join(bed.directory, 'above/source');
    target = join(bed.directory, 'target');
    await mkdir(target);
    await writeFiles(source, { 'first/file': 3000, 'first/large': 2_000_000, 'second/x [y]\\n': 10 });
    await link(join(source, 'first/file'), join(source, 'second/link'));
    await symlink('/etc', join(source, 'planted'));
    expect(
      (await runCommand('setfattr', ['-n', 'user.kept', '-v', 'yes', join(source, 'first/file')])).code,
    ).toBe(0);
    await utimes(join(source, 'second'), new Date(1e12), new Date(1e12));
    const settings = { srcdirs: [dirname(source)], archivedir: join(bed.directory, 'archives') };
    await bed.configure([bed.hostAt(await bed.startSshd(), { name: 'web1', ...settings, min_free: 0 })]);
    await bed.startDaemon();
    made = await bed.backUp('web1');
    expect(made, JSON.stringify(made.error)).toMatchObject({ state: RunState.SUCCEEDED });
    await archiveByHand(join(bed.directory, 'archives'), 'web1', bed.snapshotPath(made));
    await rename(bed.snapshotPath(made), join(bed.directory, 'kept'));
  });
  afterAll(() => bed.end());

  const run = async (wanted: Omit<Wanted, 'of'>): Promise<Run> => {
    const ended = await restore(bed, { of: made, ...wanted });
    // Nothing of what was unpacked is left, however it ends.
    expect((await readdir(join(bed.backupdir, 'web1'))).filter((name) => name.startsWith('.'))).toEqual([]);
    return ended;
  };

  test.each(['a host', 'the server'])('comes back whole: to %s', async (where) => {
    const directory = join(target, where);
    const ended = await run({
      paths: [source],
      target: where === 'a host' ? toHost('web1', directory) : toServer(directory),
    });
    expect(ended, JSON.stringify(ended.error)).toMatchObject({
      state: RunState.SUCCEEDED,
      restore: { fromArchive: true },
    });
    expect(await compareTrees(source, join(directory, 'source'))).toEqual([]);
  });

  test('in part: a link without the file that it shares, and to its own place with what lies above', async () => {
    const paths = [join(source, 'second/link')];
    const alone = await run({ paths, target: toServer(target) });
    expect(alone, JSON.stringify(alone.error)).toMatchObject({ state: RunState.SUCCEEDED });
    expect(await readFile(join(target, 'link'))).toEqual(await readFile(join(source, 'first/file')));
    const aside = join(bed.directory, 'aside');
    await rename(dirname(source), aside);
    const ended = await run({ paths: [join(source, 'second')], target: original });
    expect(ended, JSON.stringify(ended.error)).toMatchObject({ state: RunState.SUCCEEDED });
    expect(await compareTrees(aside, dirname(source), ['/source/first', '/source/planted'])).toEqual([]);
    await run({ paths: ['/'], target: original });
    expect(await compareTrees(aside, dirname(source))).toEqual([]);
    expect(await inodeOf(join(source, 'first/file'))).toBe(await inodeOf(join(source, 'second/link')));
  });

  test('gives nothing but what is in it, and says what is wrong', async () => {
    for (const name of ['nowhere', 'planted/hostname']) {
      const ended = await run({ paths: [join(source, name)], target: original });
      expect(ended.error, name).toMatchObject({ reason: 'PATH_NOT_FOUND' });
    }
    const small = join(bed.backupdir, 'web1');
    const disk = await mountSmallDisk(small, '1m');
    try {
      const ended = await run({ paths: [source], target: toServer(target) });
      expect(ended.error).toMatchObject({ reason: 'RESTORE_NO_ROOM' });
    } finally {
      await disk.unmount();
    }
  });

  test('in part where the backup disk cannot keep attributes, and says so', async () => {
    const small = join(bed.backupdir, 'web1');
    const word = `web1/${made.snapshot}`;
    const unmount = await mountForgetfulDisk(small);
    try {
      const directory = join(target, 'without');
      const ended = await run({ paths: [join(source, 'first')], target: toServer(directory) });
      const error = {
        reason: 'RESTORE_INCOMPLETE',
        message: expect.stringMatching(/user\.kept.*not supported/),
      };
      expect(ended, JSON.stringify(ended.error)).toMatchObject({ state: RunState.PARTIAL, error });
      expect((await bed.busy(['logs', ended.id])).stdout).toMatch(/setxattr.*user\.kept/);
      expect(await readFile(join(directory, 'first/file'))).toEqual(
        await readFile(join(source, 'first/file')),
      );
      const tarball = join(target, 'without.tar');
      const download = (path: string, ...more: string[]): ReturnType<TestBed['busy']> =>
        bed.busy(['download', word, join(source, path), '-o', tarball, ...more]);
      const all = await download('first', '--format', 'tar');
      expect(all).toMatchObject({ code: 5, stderr: expect.stringContaining('user.kept') });
      // A file as it is has no attributes.
      expect((await download('first/file')).code).toBe(0);
    } finally {
      await unmount();
    }
  });

  test('not, when it is gone', async () => {
    await rm(join(bed.directory, 'archives', `web1-${made.snapshot}.tar.zst`));
    const gone = await run({ paths: [source], target: toServer(target) });
    expect(gone.error).toMatchObject({ reason: 'SNAPSHOT_REMOVED' });
  });

  test('what a daemon that died has unpacked is removed at the next start', async () => {
    await bed.stopDaemon();
    const left = join(bed.backupdir, 'web1/.restore-01ARZ3NDEKTSV4RRFFQ69G5FAV');
    await writeFiles(left, { 'data/file': 'unpacked' });
    await bed.startDaemon();
    await expect.poll(() => readdir(join(bed.backupdir, 'web1')), { timeout: 60_000 }).toEqual([]);
  });
});
