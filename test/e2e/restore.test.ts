import {
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { RestoreMode } from '../../src/gen/busy/v1/restore.js';
import { RunKind, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { compareTrees } from '../helpers/fidelity-tree.js';
import { reasonOf } from '../helpers/grpc-calls.js';
import { askRestore, original, restore, toHost, toServer, type Wanted } from '../helpers/restores.js';
import { runPids } from '../helpers/run-processes.js';
import { TestBed } from '../helpers/test-bed.js';
import { inodeOf, listTree, writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
let sshd: PrivateSshd;
let source: string;
let outside: string;
let made: Run;
let target: string;
let round = 0;

beforeAll(async () => {
  bed = await TestBed.create();
  sshd = await bed.startSshd();
  const limited = await bed.startSshd({ forceCommand: 'rrsync -ro /' });
  source = join(bed.directory, 'source');
  outside = join(bed.directory, 'outside');
  await writeFiles(source, {
    'etc/app.conf': 'from the snapshot',
    'etc/deep/er/file': 5000,
    '#odd ; name $(id)': 'odd',
    'cache/keep': 'kept',
    alone: 'alone',
  });
  await writeFile(Buffer.from(join(source, 'bytes \u00ff'), 'latin1'), 'no utf-8');
  await link(join(source, 'etc/app.conf'), join(source, 'same.conf'));
  await writeFiles(outside, { secret: 'outside' });
  await symlink(outside, join(source, 'etc/planted'));
  await mkdir(join(source, 'empty'));
  const settings = { srcdirs: [source], excludes: ['/cache/tmp', '*.swp'] };
  await bed.configure([
    bed.hostAt(sshd, { name: 'web1', ...settings }),
    bed.hostAt(await bed.startSshd(), { name: 'web2', ...settings, initiator: 'client' }),
    bed.hostAt(limited, { name: 'limited', ...settings }),
    bed.hostAt(limited, {
      name: 'with-own-key',
      ...settings,
      port: sshd.port,
      host_key: sshd.hostKey,
      restore_identity_file: sshd.identityFile,
    }),
  ]);
  await bed.startDaemon();
  made = await bed.backUp('web1');
  expect(made, JSON.stringify(made.error)).toMatchObject({ state: RunState.SUCCEEDED });
});
afterAll(() => bed.end());
beforeEach(async () => {
  target = join(bed.directory, `target-${++round}`);
  await mkdir(target);
});

const from = (...parts: string[]): string => join(source, ...parts);
const here = (...parts: string[]): string => join(target, ...parts);
const run = (wanted: Omit<Wanted, 'of' | 'target'> & Partial<Wanted>): Promise<Run> =>
  restore(bed, { of: made, target: toServer(target), ...wanted });

async function expectDone(wanted: Omit<Wanted, 'of' | 'target'> & Partial<Wanted>): Promise<Run> {
  const ended = await run(wanted);
  expect(ended, JSON.stringify(ended.error)).toMatchObject({ state: RunState.SUCCEEDED });
  return ended;
}

describe('where paths land', () => {
  test.each(['web1', 'web2', 'the server'])(
    'below a directory of %s under their own names',
    async (place) => {
      const ended = await expectDone({
        paths: [from('etc'), from('#odd ; name $(id)'), from('bytes \\#377'), from('same.conf')],
        target: place === 'the server' ? toServer(target) : toHost(place, target),
      });
      expect(ended).toMatchObject({
        kind: RunKind.RESTORE,
        host: 'web1',
        snapshot: made.snapshot,
        restore: { mode: RestoreMode.OVERWRITE, dryRun: false, deleted: 0 },
      });
      expect(ended.restore?.created).toBe(9);
      expect(await compareTrees(from('etc'), here('etc'))).toEqual([]);
      expect(await readFile(here('#odd ; name $(id)'), 'utf8')).toBe('odd');
      expect(await readFile(Buffer.from(here('bytes \u00ff'), 'latin1'), 'utf8')).toBe('no utf-8');
      // A hard link between what two paths name, and the planted symlink as what it is.
      expect(await inodeOf(here('same.conf'))).toBe(await inodeOf(here('etc/app.conf')));
      expect(await readlink(here('etc/planted'))).toBe(outside);
      const log = await bed.readRunLog(ended.id);
      expect(log).toContain('+ etc/deep/er/file');
      expect(log).toContain('created 9, changed 0, deleted 0');
      expect(await runPids(bed, sshd)).toEqual([]);
    },
  );

  test('at their own places, with the missing directories above, and the others left alone', async () => {
    expect(await compareTrees(source, join(bed.snapshotPath(made), 'data', source))).toEqual([]);
    const before = await listTree(source);
    await rm(from('etc/deep'), { recursive: true });
    await rm(from('alone'));
    await utimes(source, new Date(1000), new Date(1000));
    const ended = await expectDone({ paths: [from('etc/deep/er/file'), from('alone')], target: original });
    expect(ended.restore?.changes.map(({ path }) => `/${path}`)).toEqual([
      `${from('etc/deep')}/`,
      `${from('etc/deep/er')}/`,
      from('alone'),
      from('etc/deep/er/file'),
    ]);
    await expectDone({ paths: [source], target: original });
    expect(await listTree(source)).toEqual(before);
  });

  test('the root stands for all source directories', async () => {
    await rm(from('etc'), { recursive: true });
    await expectDone({ paths: ['/'], target: original });
    expect(await compareTrees(source, join(bed.snapshotPath(made), 'data', source))).toEqual([]);
    await expectDone({ paths: ['/'], target: toServer(target) });
    expect(await compareTrees(source, join(target, source))).toEqual([]);
  });
});

describe('modes', () => {
  const old = new Date('2001-01-01');

  beforeEach(async () => {
    await writeFiles(target, {
      'etc/app.conf': 'newer at the target',
      'etc/deep/extra': 'extra',
      'etc/x.swp': '',
    });
    await writeFiles(target, { 'etc/deep/er/file': 'older at the target' });
    await utimes(here('etc/deep/er/file'), old, old);
  });

  test.each([
    [RestoreMode.NEVER_OVERWRITE, 'newer', 'older', true],
    [RestoreMode.NEWER_ONLY, 'newer', 'snapshot', true],
    [RestoreMode.OVERWRITE, 'snapshot', 'snapshot', true],
    [RestoreMode.MIRROR, 'snapshot', 'snapshot', false],
  ])('%s', async (mode, conf, file, hasExtra) => {
    const before = await listTree(target);
    const wanted = { paths: [from('etc')], mode, confirm: target };
    const dry = await expectDone({ ...wanted, dryRun: true, confirm: '' });
    expect(await listTree(target)).toEqual(before);
    const ended = await expectDone(wanted);
    const { created, changed, deleted, changes } = ended.restore ?? {};
    expect(dry.restore).toMatchObject({ created, changed, deleted, dryRun: true });
    expect(dry.restore?.changes.map(({ kind, path }) => `${kind} ${path}`).sort()).toEqual(
      changes?.map(({ kind, path }) => `${kind} ${path}`).sort(),
    );
    const isRestored = async (name: string): Promise<boolean> =>
      (await readFile(here(name))).equals(await readFile(from(name)));
    expect(await isRestored('etc/app.conf')).toBe(conf === 'snapshot');
    expect(await isRestored('etc/deep/er/file')).toBe(file === 'snapshot');
    expect(
      await stat(here('etc/deep/extra')).then(
        () => true,
        () => false,
      ),
    ).toBe(hasExtra);
    // What backups leave out is not deleted.
    expect((await stat(here('etc/x.swp'))).size).toBe(0);
    expect(deleted).toBe(hasExtra ? 0 : 1);
  });

  test('mirror wants its target repeated, and refuses what would delete too much', async () => {
    const before = await listTree(target);
    const mirror = { mode: RestoreMode.MIRROR, of: made, target: toServer(target) };
    for (const [wanted, reason] of [
      [{ paths: [from('etc')], confirm: '' }, 'MIRROR_UNCONFIRMED'],
      [{ paths: [from('etc')], confirm: '/' }, 'MIRROR_UNCONFIRMED'],
      [{ paths: ['/'], confirm: target }, 'MIRROR_REFUSED'],
      [{ paths: [bed.directory], target: original, confirm: 'web1:/' }, 'MIRROR_REFUSED'],
    ] as const) {
      const error: unknown = await askRestore(bed, { ...mirror, ...wanted, paths: [...wanted.paths] }).catch(
        (e: unknown) => e,
      );
      expect(reasonOf(error), JSON.stringify(wanted)).toBe(reason);
    }
    const ended = await run({ paths: [from('empty')], mode: RestoreMode.MIRROR, confirm: target });
    expect(ended.error?.reason).toBe('MIRROR_REFUSED');
    expect(await listTree(target)).toEqual(before);
  });
});

describe('nothing leaves the target or the snapshot', () => {
  test.each([
    [RestoreMode.NEVER_OVERWRITE, false],
    [RestoreMode.NEWER_ONLY, true],
    [RestoreMode.OVERWRITE, true],
    [RestoreMode.MIRROR, true],
  ])('through a symlink planted at the target: %s', async (mode, isReplaced) => {
    const before = await listTree(outside);
    await symlink(outside, here('etc'));
    const wanted = { paths: [from('etc')], mode };
    for (const [place, confirm] of [
      [toHost('web1', target), `web1:${target}`],
      [toServer(target), target],
    ] as const) {
      const ended = await run({ ...wanted, target: place, confirm });
      if (isReplaced) expect(ended, JSON.stringify(ended.error)).toMatchObject({ state: RunState.SUCCEEDED });
      else expect(ended.error).toMatchObject({ reason: 'RESTORE_BLOCKED' });
    }
    expect((await lstat(here('etc'))).isSymbolicLink()).toBe(!isReplaced);
    expect(await listTree(outside)).toEqual(before);
  });

  test('through a symlink above the original place', async () => {
    const before = await listTree(outside);
    await rm(from('etc'), { recursive: true });
    await symlink(outside, from('etc'));
    const ended = await run({ paths: [from('etc/deep')], target: original });
    expect(ended.error).toMatchObject({ reason: 'RESTORE_BLOCKED' });
    expect(ended.error?.message).toContain(from('etc'));
    expect(await listTree(outside)).toEqual(before);
    await rm(from('etc'));
    await expectDone({ paths: [from('etc')], target: original });
  });

  test('through a symlink planted in the snapshot, or by a path that leads up', async () => {
    const ended = await run({ paths: [from('etc/planted/secret')] });
    expect(ended.error).toMatchObject({ reason: 'PATH_REFUSED' });
    const up: unknown = await askRestore(bed, {
      of: made,
      target: toServer(target),
      paths: ['/etc/../..'],
    }).catch((e: unknown) => e);
    expect(reasonOf(up)).toBe('PATH_REFUSED');
    const gone = await run({ paths: [from('nowhere')] });
    expect(gone.error).toMatchObject({ reason: 'PATH_NOT_FOUND' });
    expect(await readdir(target)).toEqual([]);
  });

  test('into what belongs to BUSY', async () => {
    const store = join(bed.directory, 'store-link');
    await symlink(bed.backupdir, store).catch(() => {});
    for (const place of [
      toServer(bed.backupdir),
      toServer(join(bed.backupdir, 'web1')),
      toServer(store),
      toServer(join(bed.directory, 'state/new')),
      toHost('web2', bed.backupdir),
    ]) {
      const ended = await run({ paths: [from('etc')], target: place });
      expect(ended.error, JSON.stringify(place)).toMatchObject({ reason: 'RESTORE_TARGET_OWN' });
    }
  });

  test('a directory above the target must be there', async () => {
    for (const place of [toServer(here('a/b')), toHost('web1', here('a/b'))]) {
      const ended = await run({ paths: [from('etc')], target: place });
      expect(ended.error, JSON.stringify(ended.error)).toMatchObject({ reason: 'RESTORE_TARGET_UNUSABLE' });
    }
    await expectDone({ paths: [from('etc')], target: toHost('web1', here('new')) });
    expect(await compareTrees(from('etc'), here('new/etc'))).toEqual([]);
  });
});
