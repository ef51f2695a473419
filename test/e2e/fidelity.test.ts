import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { compareTrees, makeFidelityTree } from '../helpers/fidelity-tree.js';
import { runCommand, type CommandResult } from '../helpers/run-command.js';
import { TestBed } from '../helpers/test-bed.js';
import { inodeOf, writeFiles } from '../helpers/tree-listing.js';

/** More than 4 GiB are read on both sides, for each snapshot and for each comparison. */
const slow = { timeout: 300_000 };

describe('a snapshot of a tree with one of everything', () => {
  let bed: TestBed;
  let source: string;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    source = join(bed.directory, 'the source');
    await makeFidelityTree(source);
    const common = { srcdirs: [source] };
    await bed.configure([
      bed.hostAt(sshd, { name: 'pull', initiator: 'server', ...common }),
      // Compressed, the holes of the sparse file take less time.
      bed.hostAt(sshd, { name: 'push', initiator: 'client', rsync_opts: '-aHAXSz --numeric-ids', ...common }),
    ]);
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  test.each(['pull', 'push'])('is what the tree is: %s', slow, async (host) => {
    await expectFaithful(await bed.backUp(host, BackupType.FULL));
    const incremental = await bed.backUp(host, BackupType.INCREMENTAL);
    expect(incremental.type).toBe(BackupType.INCREMENTAL);
    expect(incremental.jobs[0]?.stats).toMatchObject({ filesTransferred: 0, filesCreated: 0 });
    await expectFaithful(incremental);
  });

  test('fault 8: hard links of the source are hard links of the snapshot', async () => {
    const run = await bed.lastRun('pull');
    const links = join(bed.snapshotPath(run), 'data', source, 'hard links');
    const first = await inodeOf(join(links, 'first'));
    for (const other of ['second', 'other/third']) expect(await inodeOf(join(links, other))).toBe(first);
  });

  async function expectFaithful(run: Run): Promise<void> {
    expect(run, JSON.stringify(run.error)).toMatchObject({ state: RunState.SUCCEEDED });
    expect(await compareTrees(source, join(bed.snapshotPath(run), 'data', source))).toEqual([]);
  }
});

describe('a key that may only read one directory', () => {
  let bed: TestBed;
  let sshd: PrivateSshd;
  let exported: string;
  const srcdirs = ['/two words', '/plain', '/$(id); `id` *'];

  beforeAll(async () => {
    bed = await TestBed.create();
    exported = join(bed.directory, 'exported');
    for (const [index, directory] of srcdirs.entries()) {
      await writeFiles(join(exported, directory), { file: `file ${index}`, 'deep/file 2': 1000 });
    }
    await writeFiles(bed.directory, { 'outside/secret': 'not exported' });
    sshd = await bed.startSshd({ forceCommand: `rrsync -ro ${exported}` });
    await bed.configure([
      bed.hostAt(sshd, { name: 'restricted', hostname: 'cannot-be-asked', srcdirs }),
      bed.hostAt(sshd, { name: 'whole', srcdirs: ['/'] }),
    ]);
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  test('is enough for backups', async () => {
    for (const type of [BackupType.FULL, BackupType.INCREMENTAL]) {
      const run = await bed.backUp('restricted', type);
      expect(run, JSON.stringify(run.error)).toMatchObject({ state: RunState.SUCCEEDED, type });
      for (const directory of srcdirs) {
        const copy = join(bed.snapshotPath(run), 'data', directory);
        expect(await compareTrees(join(exported, directory), copy)).toEqual([]);
      }
    }
    const whole = await bed.backUp('whole');
    expect(whole, JSON.stringify(whole.error)).toMatchObject({ state: RunState.SUCCEEDED });
    expect(await compareTrees(exported, join(bed.snapshotPath(whole), 'data'))).toEqual([]);
  });

  test('runs nothing else, and writes nothing', async () => {
    const command = await ssh('id');
    expect(command.code).not.toBe(0);
    expect(command.stdout).toBe('');
    const login = await ssh();
    expect(login.code).not.toBe(0);
    expect(login.stdout).toBe('');

    const file = join(bed.directory, 'written');
    await writeFile(file, 'by the server');
    const rsh = ['ssh', ...sshOptions()].join(' ');
    const written = await runCommand('rsync', ['-e', rsh, file, `${sshd.user}@127.0.0.1:/plain/`]);
    expect(written.code).not.toBe(0);
    const outside = await runCommand('rsync', ['-e', rsh, `${sshd.user}@127.0.0.1:../outside/secret`, file]);
    expect(outside.code).not.toBe(0);
    const allowed = await runCommand('rsync', ['-e', rsh, `${sshd.user}@127.0.0.1:/plain/`]);
    expect(allowed).toMatchObject({ code: 0 });
    expect(allowed.stdout).not.toContain('written');
  });

  function ssh(...words: readonly string[]): Promise<CommandResult> {
    return runCommand('ssh', [...sshOptions(), `${sshd.user}@127.0.0.1`, ...words]);
  }

  function sshOptions(): string[] {
    const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'];
    options.push('IdentitiesOnly=yes', 'LogLevel=ERROR');
    const words = options.flatMap((option) => ['-o', option]);
    return ['-F', 'none', '-p', String(sshd.port), '-i', sshd.identityFile, ...words];
  }
});
