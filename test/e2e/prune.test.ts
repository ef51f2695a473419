import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupType, type Run } from '../../src/gen/busy/v1/run.js';
import { listedSnapshots, untilSwept } from '../helpers/host-store.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { listTree, writeFiles } from '../helpers/tree-listing.js';

describe('retention', () => {
  let bed: TestBed;
  let sshd: PrivateSshd;
  const runs: Run[] = [];

  beforeAll(async () => {
    bed = await TestBed.create();
    sshd = await bed.startSshd();
    await writeFiles(source(), { same: 5000, 'deep/same': 5000 });
    await configure({});
    await bed.startDaemon();
    for (const type of [BackupType.FULL, BackupType.AUTO, BackupType.AUTO, BackupType.FULL, BackupType.AUTO])
      runs.push(await bed.backUp('web1', type));
  });
  afterAll(() => bed.end());

  const source = (): string => join(bed.directory, 'source');
  const pathOf = (index: number): string => join(bed.backupdir, 'web1', nameOf(index));
  const nameOf = (index: number): string => runs[index]?.snapshot ?? '';

  async function configure(keep: object): Promise<void> {
    await bed.configure([bed.hostAt(sshd, { name: 'web1', srcdirs: [source()], keep })]);
  }

  async function onDisk(): Promise<string[]> {
    return (await readdir(join(bed.backupdir, 'web1'))).sort();
  }

  async function reload(): Promise<void> {
    const before = bed.daemonLog().length;
    process.kill(bed.daemonPid(), 'SIGHUP');
    await until(
      () => bed.daemonLog().slice(before).includes('taken over'),
      'the reload',
      () => bed.daemonLog(),
    );
  }

  test('without keep nothing is removed, and prune says so', async () => {
    const { stdout, code } = await bed.busy(['prune', 'web1']);
    expect(code).toBe(0);
    expect(stdout.match(/ KEEP /g)).toHaveLength(5);
    expect(stdout).toContain('web1 has no keep, so nothing is ever removed.');
    expect(await onDisk()).toEqual(runs.map(({ snapshot }) => snapshot));
  });

  test('a dry run says for each snapshot what would be done and why, and removes nothing', async () => {
    await configure({ last: 2 });
    await reload();
    const { stdout } = await bed.busy(['prune', 'web1', '--dry-run']);
    expect(stdout).toMatch(new RegExp(`${nameOf(4)} .*KEEP .*the newest, .*one of the last 2`));
    expect(stdout).toMatch(new RegExp(`${nameOf(3)} .*KEEP .*the youngest full one`));
    for (const index of [0, 1, 2])
      expect(stdout).toMatch(new RegExp(`${nameOf(index)} .*REMOVE .*no rule keeps it`));
    expect(stdout).toContain('3 of 5 snapshots would be removed.');
    expect(await onDisk()).toHaveLength(5);
    const json = await bed.busy(['prune', 'web1', '--dry-run', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ removedCount: 3, hasKeep: true });
  });

  test('prune removes these, and what stays is whole', async () => {
    const before = await listTree(pathOf(4));
    const { stdout, code } = await bed.busy(['prune', 'web1']);
    expect(code).toBe(0);
    expect(stdout).toContain('3 of 5 snapshots were removed; their space is freed meanwhile.');
    expect(await listedSnapshots(bed, 'web1')).toEqual([nameOf(3), nameOf(4)]);
    await untilSwept(bed, 'web1');
    expect(await onDisk()).toEqual([nameOf(3), nameOf(4)]);
    expect(await listTree(pathOf(4))).toEqual(before);
    expect(bed.daemonLog()).toMatch(new RegExp(`a snapshot was removed.*${nameOf(0)}.*no rule keeps it`));
  });

  test('after each backup the daemon prunes by itself', async () => {
    runs.push(await bed.backUp('web1'), await bed.backUp('web1'));
    const wanted = [nameOf(3), nameOf(5), nameOf(6)];
    await until(async () => (await onDisk()).join() === wanted.join(), 'the pruning');
    expect(await listedSnapshots(bed, 'web1')).toEqual(wanted);
  });

  test('fault 1: failed backups push no good snapshot out: while the newest one failed nothing is removed', async () => {
    await sshd.stop();
    await configure({ last: 1 });
    await reload();
    await bed.backUp('web1');
    const { stdout } = await bed.busy(['prune', 'web1']);
    expect(stdout).toContain('Nothing is removed: the newest backup failed');
    expect(await onDisk()).toHaveLength(3);
    await sshd.restart();
  });

  test('fault 15: a crash between disk and records, and one in the middle of a sweep, leave no half-deleted snapshot', async () => {
    await bed.stopDaemon('SIGKILL');
    await rename(pathOf(5), join(bed.backupdir, 'web1', `.removed-${nameOf(5)}`));
    await bed.startDaemon();
    await untilSwept(bed, 'web1');
    runs.push(await bed.backUp('web1'));
    const wanted = [nameOf(3), nameOf(7)];
    await until(async () => (await onDisk()).join() === wanted.join(), 'the pruning');
    expect(await listedSnapshots(bed, 'web1')).toEqual(wanted);
  });
});
