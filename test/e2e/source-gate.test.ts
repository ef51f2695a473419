/** The source gate with real backups: what is held, what that means for the next ones, and the ways out. */
import { readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { HoldCode, type Snapshot } from '../../src/gen/busy/v1/snapshot.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { listedSnapshots, untilSwept } from '../helpers/host-store.js';
import { expectBackup } from '../helpers/stock.js';
import { runCommand } from '../helpers/run-command.js';
import { TestBed, until, type HostSettings } from '../helpers/test-bed.js';
import { inodeOf, writeFiles } from '../helpers/tree-listing.js';

/** More than what the gate overlooks in a small tree. */
const fileCount = 80;

let bed: TestBed;
let sshd: PrivateSshd;

const sourceOf = (host: string): string => join(bed.directory, 'source', host);

beforeAll(async () => {
  bed = await TestBed.create();
  sshd = await bed.startSshd();
  const host = (name: string, settings: Partial<HostSettings> = {}): HostSettings =>
    bed.hostAt(sshd, { name, srcdirs: [sourceOf(name)], ...settings });
  await bed.configure([
    host('emptied', { keep: { last: 1 } }),
    host('forgiving', { allow_empty: true }),
    host('shrunk'),
    host('encrypted', { max_age_full: 0 }),
    host('pushed', { initiator: 'client' }),
    host('resumed'),
    host('back', { keep: { last: 1 } }),
    host('stays', { keep: { last: 5 } }),
    host('scripted'),
    host('mounted'),
  ]);
  await bed.writeProgram('scripts/post-backup', `#!/bin/sh\necho "$1 $2" >>${bed.directory}/post.log\n`);
  await bed.startDaemon();
});
afterAll(() => bed.end());

async function fill(host: string, prefix = 'file'): Promise<void> {
  const names = Array.from({ length: fileCount }, (_, index) => [`${prefix}-${index}`, 100] as const);
  await writeFiles(sourceOf(host), Object.fromEntries(names));
}

async function empty(host: string, count = fileCount): Promise<void> {
  const names = await readdir(sourceOf(host));
  for (const name of names.slice(0, count)) await rm(join(sourceOf(host), name));
}

/** Backs up a source that the gate must not let pass. */
async function expectHeld(host: string, code: HoldCode, type?: BackupType): Promise<Run> {
  const run = await bed.backUp(host, type);
  expect(run, JSON.stringify(run.error)).toMatchObject({
    state: RunState.PARTIAL,
    error: { reason: 'SNAPSHOT_HELD' },
  });
  expect((await snapshotOf(run)).heldFor).toMatchObject([{ code, source: sourceOf(host) }]);
  return run;
}

async function snapshotOf({ host, snapshot: name }: Run): Promise<Snapshot> {
  const client = bed.snapshots;
  try {
    const request = { host, name, asOf: undefined };
    const { snapshot } = await callMethod(client, SnapshotServiceService.getSnapshot, request);
    if (!snapshot) throw new Error('no snapshot was answered');
    return snapshot;
  } finally {
    client.close();
  }
}

async function jsonOf(run: Run): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(bed.snapshotPath(run), 'snapshot.json'), 'utf8'));
}

const fileIn = (run: Run, name: string): string =>
  join(bed.snapshotPath(run), 'data', sourceOf(run.host), name);

describe('an empty source', () => {
  let full: Run;
  let good: Run;
  let held: Run;

  test('is held on the disk and in the records, and says what there was before', async () => {
    await fill('emptied');
    full = await expectBackup(bed, 'emptied', sourceOf('emptied'));
    good = await expectBackup(bed, 'emptied', sourceOf('emptied'));
    await empty('emptied');
    held = await expectHeld('emptied', HoldCode.EMPTY_SOURCE);
    expect(held.error?.message).toContain('has no files (is it mounted?); it had 80 files');
    expect(held.error?.advice).toContain(`busy acknowledge emptied ${held.snapshot} --yes`);
    expect(await jsonOf(held)).toMatchObject({ heldFor: [{ code: 'EMPTY_SOURCE' }] });
    expect(await bed.readRunLog(held.id)).toContain('the snapshot will be held: ');
  });

  test('is shown wherever one looks, and the command that waits does not say that all is well', async () => {
    const followed = await bed.busy(['backup', 'emptied', '--follow']);
    expect(followed.code).toBe(5);
    held = await bed.lastRun('emptied');
    expect((await bed.busy(['snapshots', 'emptied'])).stdout).toMatch(
      new RegExp(`${held.snapshot} .* HELD `),
    );
    expect((await bed.busy(['snapshot', 'emptied', held.snapshot])).stdout).toMatch(/Held +.*has no files/);
    expect((await bed.busy(['hosts'])).stdout).toContain(`emptied: ${held.snapshot} is held: `);
    expect((await bed.busy(['hosts'])).stdout).toMatch(new RegExp(`emptied +${good.snapshot} `));
    expect((await bed.busy(['host', 'emptied'])).stdout).toMatch(/Held +.*has no files/);
    expect((await bed.busy(['explain', 'emptied'])).stdout).toMatch(/Held +.*so nothing older is removed/);
    expect((await bed.busy(['runs', '--host', 'emptied'])).stdout).toMatch(/PARTIAL .*is held/);
  });

  test('freezes retention, and of several held ones only the newest stays', async () => {
    const wanted = [full.snapshot, good.snapshot, held.snapshot];
    await until(
      async () => (await listedSnapshots(bed, 'emptied')).join() === wanted.join(),
      'the older to go',
    );
    await untilSwept(bed, 'emptied');
    expect((await readdir(join(bed.backupdir, 'emptied'))).sort()).toEqual(wanted);
    const { stdout } = await bed.busy(['prune', 'emptied']);
    expect(stdout).toContain(`Nothing is removed: ${held.snapshot} is held`);
    expect(await listedSnapshots(bed, 'emptied')).toEqual(wanted);
  });

  test('is asked about before it is acknowledged', async () => {
    const asked = await bed.busy(['acknowledge', 'emptied']);
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain(`Snapshot ${held.snapshot} is held: `);
    expect((await snapshotOf(held)).heldFor).toHaveLength(1);
    const wrong = await bed.busy(['acknowledge', 'emptied', good.snapshot, '--yes']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('SNAPSHOT_NOT_HELD');
    expect((await bed.busy(['acknowledge', 'forgiving'])).code).toBe(2);
  });

  test('is an ordinary snapshot when it is acknowledged: a measure, a link base, and retention goes on', async () => {
    const { code, stdout } = await bed.busy(['acknowledge', 'emptied', '--yes']);
    expect(stdout).toContain('counts as good');
    expect(code).toBe(0);
    expect(await jsonOf(held)).toMatchObject({
      heldFor: [],
      acknowledged: { heldFor: [{ code: 'EMPTY_SOURCE' }] },
    });
    expect((await snapshotOf(held)).heldFor).toEqual([]);
    const next = await expectBackup(bed, 'emptied', sourceOf('emptied'));
    expect((await snapshotOf(next)).linkBases[0]).toBe(held.snapshot);
    const wanted = [full.snapshot, next.snapshot];
    await until(async () => (await listedSnapshots(bed, 'emptied')).join() === wanted.join(), 'the pruning');
  });

  test('is nothing unusual with allow_empty', async () => {
    await fill('forgiving');
    await expectBackup(bed, 'forgiving', sourceOf('forgiving'));
    await empty('forgiving');
    await expectBackup(bed, 'forgiving', sourceOf('forgiving'));
  });

  test('fault 4: by a mount that is gone is held, not taken for a good snapshot', async () => {
    await writeFiles(sourceOf('mounted'), { 'placeholder/x': 1 });
    await rm(join(sourceOf('mounted'), 'placeholder'), { recursive: true });
    const isMounted =
      (await runCommand('mount', ['-t', 'tmpfs', 'busy-test', sourceOf('mounted')])).code === 0;
    try {
      await fill('mounted');
      await expectBackup(bed, 'mounted', sourceOf('mounted'));
    } finally {
      // Where the test may not mount, the directory is emptied: to rsync it is the same.
      if (isMounted) await runCommand('umount', [sourceOf('mounted')]);
      else await empty('mounted');
    }
    await expectHeld('mounted', HoldCode.EMPTY_SOURCE);
  });
});

test('a source that has shrunk is held, also a second time; the good one before stays the measure', async () => {
  await fill('shrunk');
  const good = await expectBackup(bed, 'shrunk', sourceOf('shrunk'));
  await empty('shrunk', 55);
  const first = await expectHeld('shrunk', HoldCode.SHRUNK);
  expect(first.error?.message).toMatch(/has 26 entries instead of 81 \(68 % fewer\), compared with/);
  const second = await expectHeld('shrunk', HoldCode.SHRUNK);
  expect((await snapshotOf(second)).linkBases).toEqual([good.snapshot]);
  await until(async () => (await listedSnapshots(bed, 'shrunk')).length === 2, 'the older held one to go');
  expect(await listedSnapshots(bed, 'shrunk')).toEqual([good.snapshot, second.snapshot]);
  await bed.busy(['acknowledge', 'shrunk', '--yes']);
  await expectBackup(bed, 'shrunk', sourceOf('shrunk'));
});

describe('a mass change of contents', () => {
  test('under new names is held, in an incremental backup and in a full one', async () => {
    await fill('encrypted');
    // Due is a full one each time; while one is held only incremental ones are made.
    await expectBackup(bed, 'encrypted', sourceOf('encrypted'));
    const good = await expectBackup(bed, 'encrypted', sourceOf('encrypted'));
    expect(good.type).toBe(BackupType.FULL);
    for (const name of await readdir(sourceOf('encrypted'))) {
      const file = join(sourceOf('encrypted'), name);
      await writeFile(file, 'encrypted');
      await rename(file, `${file}.locked`);
    }
    const full = await expectHeld('encrypted', HoldCode.MASS_CHANGE);
    expect(full.type).toBe(BackupType.FULL);
    expect(full.error?.message).toMatch(
      /has 0 of its 80 files as they were \(100 % are changed, renamed or removed\)/,
    );
    const incremental = await expectHeld('encrypted', HoldCode.MASS_CHANGE);
    expect(incremental.typeReason).toBe(`the newest snapshot ${full.snapshot} is held`);
    expect((await snapshotOf(incremental)).linkBases).toEqual([good.snapshot]);
  });

  test('in place is held with initiator client too, and not when the change is accepted', async () => {
    await fill('pushed');
    await expectBackup(bed, 'pushed', sourceOf('pushed'));
    await fill('pushed');
    const held = await expectHeld('pushed', HoldCode.MASS_CHANGE);
    await fill('pushed');
    const accepted = await bed.busy(['backup', 'pushed', '--accept-changes', '--follow']);
    expect(accepted.stdout).toContain('accepted as asked: ');
    expect(accepted.code).toBe(0);
    const run = await bed.lastRun('pushed');
    expect(run).toMatchObject({ state: RunState.SUCCEEDED, acceptsChanges: true });
    expect((await snapshotOf(held)).heldFor).toHaveLength(1);
    await expectBackup(bed, 'pushed', sourceOf('pushed'));
  });

  test('is held when most of it was copied by an attempt that was cut', async () => {
    await fill('resumed');
    const good = await expectBackup(bed, 'resumed', sourceOf('resumed'));
    await fill('resumed');
    const cut = await expectHeld('resumed', HoldCode.MASS_CHANGE);
    // As it lies there when the connection is lost before the commit.
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const mark = { runId: cut.id, type: 'incremental', bootId, isFlushed: true };
    await writeFile(join(bed.snapshotPath(cut), 'partial.json'), JSON.stringify(mark));
    await rename(bed.snapshotPath(cut), join(bed.backupdir, 'resumed', `.partial-${cut.snapshot}`));
    const next = await expectHeld('resumed', HoldCode.MASS_CHANGE);
    expect(next.jobs[0]?.stats).toMatchObject({ filesTransferred: 0 });
    expect((await snapshotOf(next)).linkBases).toEqual([good.snapshot]);
  });
});

describe('a source that is back', () => {
  test('is linked to the last good snapshot, and the held one goes with the next pruning', async () => {
    await fill('back');
    const good = await expectBackup(bed, 'back', sourceOf('back'));
    const away = `${sourceOf('back')}-away`;
    await rename(sourceOf('back'), away);
    await writeFiles(sourceOf('back'), { placeholder: 1 });
    await rm(join(sourceOf('back'), 'placeholder'));
    const held = await expectHeld('back', HoldCode.EMPTY_SOURCE);
    await rm(sourceOf('back'), { recursive: true });
    await rename(away, sourceOf('back'));
    const next = await bed.backUp('back');
    expect(next.state).toBe(RunState.SUCCEEDED);
    expect((await snapshotOf(next)).linkBases).toEqual([good.snapshot]);
    expect(await inodeOf(fileIn(next, 'file-0'))).toBe(await inodeOf(fileIn(good, 'file-0')));
    expect(next.jobs[0]?.stats).toMatchObject({ linkedFiles: fileCount, linkedBytes: 8000, copiedFiles: 0 });
    const wanted = [good.snapshot, next.snapshot];
    await until(
      async () => (await listedSnapshots(bed, 'back')).join() === wanted.join(),
      'the held one to go',
    );
    expect(bed.daemonLog()).toMatch(new RegExp(`removed.*${held.snapshot}.*is good`));
  });

  test('may have its held snapshot discarded, also after a restart of the daemon', async () => {
    await fill('stays');
    const good = await expectBackup(bed, 'stays', sourceOf('stays'));
    await empty('stays');
    const held = await expectHeld('stays', HoldCode.EMPTY_SOURCE);
    await bed.stopDaemon('SIGKILL');
    await bed.startDaemon();
    expect((await snapshotOf(held)).heldFor).toMatchObject([{ code: HoldCode.EMPTY_SOURCE }]);
    const { code } = await bed.busy(['acknowledge', 'stays', held.snapshot, '--discard', '--yes']);
    expect(code).toBe(0);
    expect((await bed.busy(['trash'])).stdout).toContain(`stays/${held.snapshot}`);
    expect((await bed.busy(['trash', 'empty', '--confirm', 'all'])).code).toBe(0);
    await untilSwept(bed, 'stays');
    expect(await readdir(join(bed.backupdir, 'stays'))).toEqual([good.snapshot]);
    expect(await listedSnapshots(bed, 'stays')).toEqual([good.snapshot]);
  });
});

test('post-backup is told a failure of a held snapshot, so that no script carries on with it', async () => {
  await fill('scripted');
  await expectBackup(bed, 'scripted', sourceOf('scripted'));
  await empty('scripted');
  await expectHeld('scripted', HoldCode.EMPTY_SOURCE);
  const lines = (await readFile(join(bed.directory, 'post.log'), 'utf8')).split('\n');
  expect(lines.filter((line) => line.startsWith('scripted'))).toEqual([
    'scripted success',
    'scripted failure',
  ]);
});
