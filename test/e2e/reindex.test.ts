/** `busyd reindex`: the database is lost, or the store is that of the original BUSY. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupType, RunState } from '../../src/gen/busy/v1/run.js';
import { listedSnapshots } from '../helpers/host-store.js';
import { expectBackup } from '../helpers/stock.js';
import { runCommand, type CommandResult } from '../helpers/run-command.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { inodeOf, listTree, writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
let sshd: PrivateSshd;
const source = (): string => join(bed.directory, 'source');

beforeEach(async () => {
  bed = await TestBed.create();
  sshd = await bed.startSshd();
  await writeFiles(source(), { one: 'one', 'deep/two': 'two' });
  await bed.configure([bed.hostAt(sshd, { name: 'web1', srcdirs: [source()] })]);
});
afterEach(() => bed.end());

function reindex(...more: string[]): Promise<CommandResult> {
  return bed.busyd(['--config', bed.configFile, 'reindex', ...more]);
}

async function shown(name: string): Promise<object> {
  const { stdout } = await bed.busy(['snapshot', 'web1', name, '--json']);
  return JSON.parse(stdout) as object;
}

describe('busyd reindex', () => {
  it('brings back all that the database knew of snapshots, from the disk alone, and touches nothing there', async () => {
    await bed.startDaemon();
    const full = await expectBackup(bed, 'web1', source());
    const next = await expectBackup(bed, 'web1', source());
    expect((await bed.busy(['verify', 'web1'])).code).toBe(0);
    const known = [await shown(full.snapshot), await shown(next.snapshot)];
    await bed.stopDaemon();
    const database = join(bed.directory, 'state/busy.db');
    await rename(database, `${database}.away`);
    await bed.startDaemon();
    await until(() => /not on record.*reindex.*web1/.test(bed.daemonLog()), 'the daemon to tell of them');
    await bed.stopDaemon();
    await rename(`${database}.away`, database);
    const stock = await listTree(bed.backupdir);
    expect((await reindex()).stdout).toMatch(/web1: 0 added, 0 corrected, 0 removed, 2 kept/);
    await rm(database);
    const dry = await reindex('--dry-run');
    expect(dry.stdout).toMatch(
      /web1: 2 added.*\n {2}\+ \S+f {2}full, SUCCEEDED\n {2}\+ \S+i {2}incremental, SUCCEEDED\n/,
    );
    expect(dry.stdout).toContain('Nothing was changed: this was a dry run.');
    const real = await reindex();
    expect(real).toMatchObject({ code: 0, stdout: expect.stringContaining('web1: 2 added'), stderr: '' });
    expect((await reindex()).stdout).toContain('0 added, 0 corrected, 0 removed, 2 kept');
    expect(await listTree(bed.backupdir)).toEqual(stock);
    await bed.startDaemon();
    expect(bed.daemonLog()).not.toContain('not on record');
    expect([await shown(full.snapshot), await shown(next.snapshot)]).toEqual(known);
    const after = await expectBackup(bed, 'web1', source());
    expect(after.jobs[0]?.stats).toMatchObject({ filesTransferred: 0 });
  });

  it('forgets what is gone, and leaves the records of a disk that is not there', async () => {
    await bed.startDaemon();
    const full = await expectBackup(bed, 'web1', source());
    const next = await expectBackup(bed, 'web1', source());
    await bed.stopDaemon();
    await rename(join(bed.backupdir, 'web1'), join(bed.backupdir, 'away'));
    expect((await reindex()).stdout).toMatch(/not mounted: its 2 records are left as they are/);
    await rename(join(bed.backupdir, 'away'), join(bed.backupdir, 'web1'));
    await rm(bed.snapshotPath(next), { recursive: true });
    expect((await reindex()).stdout).toContain(
      `0 added, 0 corrected, 1 removed, 1 kept\n  - ${next.snapshot}`,
    );
    await bed.startDaemon();
    expect(await listedSnapshots(bed, 'web1')).toEqual([full.snapshot]);
  });

  it('is refused while the daemon runs, and with a bad configuration', async () => {
    await bed.startDaemon();
    const refused = await reindex();
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /^busyd: Another busyd \(process \d+ on .*\) uses the state directory .*Stop it first/,
    );
    await bed.stopDaemon();
    await writeFile(bed.configFile, 'hosts: [{');
    expect((await reindex()).code).toBe(1);
  });
});

describe('a store of the original BUSY', () => {
  it('is adopted, linked to, and said to be unverifiable', async () => {
    const name = '2011-03-27_12-30-00f';
    const directory = join(bed.backupdir, 'web1', name);
    const flat = join(directory, source().replaceAll('/', '_'));
    await mkdir(directory, { recursive: true });
    await runCommand('cp', ['-a', source(), flat]);
    await writeFile(join(directory, 'backup.log'), 'Backup finished, 0 failures\n');
    const stock = await listTree(directory);
    expect((await reindex()).stdout).toContain(
      `web1: 1 added, 0 corrected, 0 removed, 0 kept\n  + ${name}  full, SUCCEEDED, of the original BUSY`,
    );
    await bed.startDaemon();
    expect(await listedSnapshots(bed, 'web1')).toEqual([name]);
    const { stdout } = await bed.busy(['snapshot', 'web1', name]);
    expect(stdout).toContain(`Files below  ${directory}\n`);
    expect(stdout).toMatch(/Manifest +none, so it cannot be verified/);
    const verified = await bed.busy(['verify', 'web1', name]);
    expect(verified).toMatchObject({ code: 1 });
    expect(verified.stdout).toContain('SNAPSHOT_UNVERIFIABLE');
    expect((await bed.busy(['info'])).stdout).toMatch(/1 snapshots have no manifest/);
    const run = await bed.backUp('web1', BackupType.INCREMENTAL);
    expect(run, JSON.stringify(run.error)).toMatchObject({
      state: RunState.SUCCEEDED,
      type: BackupType.INCREMENTAL,
      jobs: [{ stats: { filesTransferred: 0 } }],
    });
    const linked = join(bed.snapshotPath(run), 'data', source(), 'deep/two');
    expect(await inodeOf(linked)).toBe(await inodeOf(join(flat, 'deep/two')));
    expect(await listTree(directory)).toEqual(stock);
    expect((await bed.busy(['verify', 'web1'])).stdout).toMatch(
      new RegExp(`without a manifest, so not verifiable: ${name}`),
    );
  });
});
