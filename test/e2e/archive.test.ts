/** Snapshots become tarballs that hold all that was in them, and only then they go. */
import {
  appendFile,
  chmod,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareTrees as compareWithoutNoise } from '../../clients/quickstart/compare-trees.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { archive, listArchives } from '../helpers/archive-calls.js';
import { compareTrees, makeFidelityTree, sparseFile } from '../helpers/fidelity-tree.js';
import { listedSnapshots } from '../helpers/host-store.js';
import { runCommand } from '../helpers/run-command.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

const slow = { timeout: 300_000 };

async function extract(tarball: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const options = [
    '--warning=no-timestamp',
    '--xattrs',
    '--xattrs-include=*',
    '--acls',
    '--numeric-owner',
    '-xpf',
    tarball,
  ];
  const { code, stderr } = await runCommand('tar', [...options, '-C', directory]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
}

function expectEnd(run: Run, state: RunState, reason?: string): void {
  expect(run.state, JSON.stringify(run.error)).toBe(state);
  expect(run.error?.reason).toBe(reason);
}

describe('archives', () => {
  let bed: TestBed;
  let source: string;
  let odd: string;
  let archivedir: string;
  let second: string;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    [source, odd] = [join(bed.directory, 'source'), join(bed.directory, 'odd source')];
    [archivedir, second] = [join(bed.directory, 'archive: one'), join(bed.directory, 'second')];
    for (const directory of [archivedir, second]) await mkdir(directory);
    await makeFidelityTree(odd);
    // Its holes are as deep as this, and take less time to read; larger ones stand in tar-reader.test.ts.
    await truncate(join(odd, sparseFile), 100 * 2 ** 20);
    await writeFiles(source, { kept: 5000, 'deep/kept': 5000, changed: 5000 });
    const common = { archivedir, archive_schedule: 'never', max_age: 0 };
    await bed.configure([
      bed.hostAt(sshd, { name: 'odd', srcdirs: [odd], ...common }),
      bed.hostAt(sshd, { name: 'odd-zst', srcdirs: [odd], ...common, archive_format: 'tar.zst' }),
      bed.hostAt(sshd, { name: 'web1', srcdirs: [source], ...common }),
      bed.hostAt(sshd, { name: 'twice', srcdirs: [source], ...common, archive_copy_to: second }),
      bed.hostAt(sshd, { name: 'kept', srcdirs: [source], ...common, archive_keep: { last: 1 } }),
      bed.hostAt(sshd, { name: 'none', srcdirs: [source] }),
      bed.hostAt(sshd, { name: 'nightly', srcdirs: [source], ...common, archive_schedule: ['* * * * *'] }),
    ]);
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  const snapshotsOf = (host: string): Promise<string[]> => listedSnapshots(bed, host);
  const tarballOf = (host: string, name: string, format = 'tar.gz'): string =>
    join(archivedir, `${host}-${name}.${format}`);
  const filesOf = async (host: string): Promise<string[]> =>
    (await readdir(archivedir)).filter((name) => name.startsWith(`${host}-2`)).sort();

  /** Full ones, of which all but the newest may go. */
  async function backUpTwice(host: string): Promise<[old: string, kept: string]> {
    const first = await bed.backUp(host, BackupType.FULL);
    const next = await bed.backUp(host, BackupType.FULL);
    return [first.snapshot, next.snapshot];
  }

  test.each([
    ['odd', 'tar.gz'],
    ['odd-zst', 'tar.zst'],
  ])('hold one of everything: %s as %s', slow, async (host, format) => {
    const run = await bed.backUp(host, BackupType.FULL);
    expectEnd(await archive(bed, host, run.snapshot), RunState.SUCCEEDED);
    expect(await snapshotsOf(host)).toEqual([run.snapshot]);
    const copy = join(bed.directory, `extracted ${host}`);
    await extract(tarballOf(host, run.snapshot, format), copy);
    // tar keeps no sockets.
    const differences = await compareTrees(odd, join(copy, run.snapshot, 'data', odd));
    expect(differences.filter((line) => !/^(cS|\.d\.\.t)/.test(line))).toEqual([]);
    await rm(copy, { recursive: true });
    const verified = await bed.busy(['archive-verify', host, '--json']);
    expect(verified.code, verified.stdout + verified.stderr).toBe(0);
  });

  test('of a host take the old ones from the backup disk, and say why others stay', async () => {
    const [old, kept] = await backUpTwice('web1');
    const archived = await archive(bed, 'web1');
    expectEnd(archived, RunState.SUCCEEDED);
    expect(archived.archiving).toMatchObject({ archived: [old], removed: [old], expired: [] });
    expect(await snapshotsOf('web1')).toEqual([kept]);
    expect(await readdir(join(bed.backupdir, 'web1'))).not.toContain(old);
    expect(await filesOf('web1')).toEqual([
      `web1-${old}.json`,
      `web1-${old}.manifest.gz`,
      `web1-${old}.tar.gz`,
    ]);
    const log = await bed.readRunLog(archived.id);
    expect(log).toContain(`${kept}: is not archived, since it is the newest`);
    const copy = join(bed.directory, 'extracted');
    await extract(tarballOf('web1', old), copy);
    expect(await readdir(join(copy, old))).toEqual(
      expect.arrayContaining(['data', 'snapshot.json', 'manifest.gz']),
    );
    const data = join(copy, old, 'data', source);
    expect(await compareWithoutNoise(source, data)).toEqual([]);
    const nothing = await bed.busy(['archive', 'web1']);
    expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('NOTHING_TO_ARCHIVE')]);
  });

  test('that were asked for by name are made also of what stays', async () => {
    const [newest = ''] = await snapshotsOf('web1');
    const run = await archive(bed, 'web1', newest);
    expectEnd(run, RunState.SUCCEEDED);
    expect(run.archiving).toMatchObject({ archived: [newest], removed: [] });
    expect(await snapshotsOf('web1')).toEqual([newest]);
    // The next backup makes it one that may go; its archive is read back, not written again.
    const { mtimeMs } = await stat(tarballOf('web1', newest));
    await bed.backUp('web1', BackupType.FULL);
    const again = await archive(bed, 'web1');
    expect(again.archiving).toMatchObject({ archived: [newest], removed: [newest] });
    const { mtimeMs: later } = await stat(tarballOf('web1', newest));
    expect(later).toBe(mtimeMs);
  });

  test('are listed, shown and deleted by the command line', async () => {
    const [found] = await listArchives(bed, 'web1');
    const listed = await bed.busy(['archives', 'web1']);
    expect(listed.stdout).toContain(found?.name);
    const word = `web1/${found?.name}`;
    const asked = await bed.busy(['archive-delete', word]);
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
    expect((await bed.busy(['archive-delete', word, '--yes'])).code).toBe(0);
    expect((await filesOf('web1')).filter((name) => name.includes(found?.name ?? '?'))).toEqual([]);
    const trashed = await bed.busy(['trash']);
    expect(trashed.stdout).toMatch(new RegExp(`^${word} +archive +.*socket`, 'm'));
    const gone = await bed.busy(['archive-delete', word, '--yes']);
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('ARCHIVE_NOT_FOUND')]);
    const none = await bed.busy(['archive', 'none']);
    expect(none.stderr).toContain('NO_ARCHIVEDIR');
  });

  test('that are damaged are found', async () => {
    const [found] = await listArchives(bed, 'web1');
    const tarball = found?.path ?? '';
    const before = await readFile(tarball);
    const middle = Math.floor(before.length / 2);
    const damaged = Buffer.from(before);
    damaged[middle] = (damaged[middle] ?? 0) ^ 0xff;
    await writeFile(tarball, damaged);
    const told = await bed.busy(['archive-verify', 'web1', found?.name ?? '']);
    expect([told.code, told.stdout]).toEqual([1, expect.stringContaining('ARCHIVE_DAMAGED')]);
    expect((await listArchives(bed, 'web1'))[0]?.damage).not.toBe('');
    await truncate(tarball, middle);
    expect((await bed.busy(['archive-verify', 'web1'])).code).toBe(1);
    await writeFile(tarball, before);
    expect((await bed.busy(['archive-verify', 'web1'])).code).toBe(0);
    expect((await listArchives(bed, 'web1'))[0]?.damage).toBe('');
  });

  test('have a copy in the second place; without it the snapshot stays', async () => {
    const [old, kept] = await backUpTwice('twice');
    await rename(second, `${second} away`);
    const failed = await archive(bed, 'twice');
    expectEnd(failed, RunState.FAILED, 'ARCHIVE_COPY_FAILED');
    expect(await snapshotsOf('twice')).toEqual([old, kept]);
    await rename(`${second} away`, second);
    expectEnd(await archive(bed, 'twice'), RunState.SUCCEEDED);
    expect(await snapshotsOf('twice')).toEqual([kept]);
    const copy = await readFile(join(second, `twice-${old}.tar.gz`));
    expect(copy.equals(await readFile(tarballOf('twice', old)))).toBe(true);
    expect((await listArchives(bed, 'twice'))[0]?.copyPath).toBe(join(second, `twice-${old}.tar.gz`));
    // The copy goes to the trash and comes back with it.
    const filesOfCopy = await readdir(second);
    expect((await bed.busy(['archive-delete', `twice/${old}`, '--yes'])).code).toBe(0);
    expect((await readdir(second)).filter((name) => !name.startsWith('.trash-'))).toEqual([]);
    expect((await bed.busy(['trash', 'restore', `twice/${old}`])).code).toBe(0);
    expect((await readdir(second)).sort()).toEqual(filesOfCopy.sort());
  });

  test('expire by archive_keep', async () => {
    const [first] = await backUpTwice('kept');
    await archive(bed, 'kept');
    const third = await bed.backUp('kept', BackupType.FULL);
    await bed.backUp('kept', BackupType.FULL);
    const run = await archive(bed, 'kept');
    expectEnd(run, RunState.SUCCEEDED);
    expect(run.archiving?.expired).toContain(first);
    expect((await listArchives(bed, 'kept')).map(({ name }) => name)).toEqual([third.snapshot]);
    expect(await filesOf('kept')).toHaveLength(3);
    const audited = await bed.busy(['audit', '--json', '--host', 'kept']);
    expect(audited.stdout).toMatch(new RegExp(`RemoveArchive(.|\\n)*${first}`));
    expect(audited.stdout).toMatch(/RemoveSnapshot(.|\n)*it was archived to/);
  });

  test('stand between their scripts', async () => {
    const [old] = await backUpTwice('web1');
    const output = join(bed.directory, 'script output');
    const say = `#!/bin/sh\necho "$0 $@" >> "${output}"\n`;
    await bed.writeProgram('scripts/pre-archive', `${say}exit 3\n`);
    await bed.writeProgram('scripts/post-archive', say);
    expectEnd(await archive(bed, 'web1', old), RunState.FAILED, 'PRE_ARCHIVE_FAILED');
    expect(await snapshotsOf('web1')).toContain(old);
    await bed.writeProgram('scripts/pre-archive', say);
    expectEnd(await archive(bed, 'web1', old), RunState.SUCCEEDED);
    const path = join(bed.backupdir, 'web1', old);
    const lines = (await readFile(output, 'utf8')).trim().split('\n');
    const [pre, post] = [bed.scriptFile('pre-archive'), bed.scriptFile('post-archive')];
    expect(lines).toEqual([
      `${pre} web1 ${tarballOf('web1', old)} ${path}`,
      `${post} web1 failure ${tarballOf('web1', old)} ${path}`,
      `${pre} web1 ${tarballOf('web1', old)} ${path}`,
      `${post} web1 success ${tarballOf('web1', old)} ${path}`,
    ]);
    await rm(join(bed.directory, 'scripts'), { recursive: true });
  });

  test('are not made of what is not as its manifest says, nor without their directory', async () => {
    const [old] = await backUpTwice('web1');
    const file = join(bed.backupdir, 'web1', old, 'data', source, 'changed');
    await appendFile(file, 'more');
    expectEnd(await archive(bed, 'web1', old), RunState.FAILED, 'ARCHIVE_MISMATCH');
    await truncate(file, 5000);
    await chmod(file, 0o600);
    expectEnd(await archive(bed, 'web1', old), RunState.FAILED, 'ARCHIVE_MISMATCH');
    await rename(archivedir, `${archivedir} away`);
    expectEnd(await archive(bed, 'web1', old), RunState.FAILED, 'ARCHIVEDIR_UNUSABLE');
    await rename(`${archivedir} away`, archivedir);
    expect(await snapshotsOf('web1')).toContain(old);
    expect((await filesOf('web1')).filter((name) => name.includes(old))).toEqual([]);
  });

  test('are made of what has no manifest, compared with the directory', async () => {
    const [old] = await backUpTwice('web1');
    // As the original BUSY left them.
    const directory = join(bed.backupdir, 'web1', old);
    await rename(join(directory, 'data', source), join(directory, source.replaceAll('/', '_')));
    await writeFile(join(directory, 'backup.log'), 'Backup finished, 0 failures\n');
    for (const name of ['data', 'snapshot.json', 'manifest.gz'])
      await rm(join(directory, name), { recursive: true, force: true });
    await bed.stopDaemon();
    expect((await bed.busyd(['reindex', '--config', bed.configFile])).code).toBe(0);
    await bed.startDaemon();
    expectEnd(await archive(bed, 'web1', old), RunState.SUCCEEDED);
    expect(await snapshotsOf('web1')).not.toContain(old);
    const copy = join(bed.directory, 'adopted');
    await extract(tarballOf('web1', old), copy);
    expect(await compareWithoutNoise(source, join(copy, old, source.replaceAll('/', '_')))).toEqual([]);
    expect((await bed.busy(['archive-verify', 'web1', old])).code).toBe(0);
  });

  test('are made by the schedule', async () => {
    const [old] = await backUpTwice('nightly');
    // It looks once a minute, and at its start.
    await bed.stopDaemon();
    await bed.startDaemon();
    await until(async () => !(await snapshotsOf('nightly')).includes(old), 'the schedule to archive');
    expect((await listArchives(bed, 'nightly')).map(({ name }) => name)).toEqual([old]);
  });

  test('are found again on the disk by reindex', async () => {
    const before = await listArchives(bed);
    await bed.stopDaemon();
    await rm(join(bed.directory, 'state', 'busy.db'));
    const { code, stdout } = await bed.busyd(['reindex', '--config', bed.configFile]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('web1: archives: ')]);
    await bed.startDaemon();
    expect(await listArchives(bed)).toEqual(before);
  });
});
