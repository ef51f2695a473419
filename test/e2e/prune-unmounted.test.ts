/** Retention on a disk that is there only between pre-backup and post-backup, and after someone deleted by hand. */
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { listedSnapshots } from '../helpers/host-store.js';
import { TestBed } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
let disk: string;
let unmounted: string;
const runs: Run[] = [];

beforeAll(async () => {
  bed = await TestBed.create();
  const sshd = await bed.startSshd();
  [disk, unmounted] = [join(bed.directory, 'disk'), join(bed.directory, 'unmounted')];
  const source = join(bed.directory, 'source');
  await writeFiles(source, { file: 1000 });
  const scripts = { pre_backup: join(bed.directory, 'pre'), post_backup: join(bed.directory, 'post') };
  await writeFile(scripts.pre_backup, `#!/bin/sh\nmv ${unmounted} ${disk}\n`);
  await writeFile(scripts.post_backup, `#!/bin/sh\nmv ${disk} ${unmounted}\n`);
  for (const script of Object.values(scripts)) await chmod(script, 0o755);
  await mkdir(unmounted);
  const host = bed.hostAt(sshd, { name: 'web1', srcdirs: [source], backupdir: disk, keep: { last: 2 } });
  await bed.configure([host], { scripts });
  await bed.startDaemon();
});
afterAll(() => bed.end());

const namesOf = (made: readonly Run[]): string[] => made.map(({ snapshot }) => snapshot);

async function onDisk(): Promise<string[]> {
  return (await readdir(join(unmounted, 'web1'))).sort();
}

async function backUp(type: BackupType): Promise<void> {
  const run = await bed.backUp('web1', type);
  expect(run.state).toBe(RunState.SUCCEEDED);
  runs.push(run);
}

test('what no rule keeps is gone from the disk before post-backup unmounts it', async () => {
  await backUp(BackupType.FULL);
  await backUp(BackupType.FULL);
  await backUp(BackupType.INCREMENTAL);
  expect(await onDisk()).toEqual(namesOf(runs.slice(-2)));
  expect(await listedSnapshots(bed, 'web1')).toEqual(namesOf(runs.slice(-2)));
});

test('while it is not mounted nothing is removed and nothing is forgotten', async () => {
  const { stdout, code } = await bed.busy(['prune', 'web1']);
  expect(code).toBe(0);
  expect(stdout.match(/not on the disk now, so it counts for no rule/g)).toHaveLength(2);
  expect(await listedSnapshots(bed, 'web1')).toEqual(namesOf(runs.slice(-2)));
});

test('a newest snapshot that was deleted by hand does not stand for those that are there', async () => {
  await rm(join(unmounted, 'web1', runs.at(-1)?.snapshot ?? ''), { recursive: true });
  await rename(unmounted, disk);
  const { stdout } = await bed.busy(['prune', 'web1']);
  expect(stdout).toMatch(new RegExp(`${runs.at(-2)?.snapshot} .*KEEP .*the newest`));
  await rename(disk, unmounted);
  expect(await onDisk()).toEqual(namesOf(runs.slice(-2, -1)));
});
