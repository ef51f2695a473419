/** A change of attributes alone, which makes rsync copy all of a tree: it is seen while it happens. */
import { randomBytes } from 'node:crypto';
import { chmod, lstat, open, readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { listedSnapshots, untilSwept } from '../helpers/host-store.js';
import { expectBackup, takeStock } from '../helpers/stock.js';
import { runCommand } from '../helpers/run-command.js';
import { TestBed, type HostSettings } from '../helpers/test-bed.js';
import { inodeOf, writeFiles } from '../helpers/tree-listing.js';

/** So many that more than 100 MiB of them are copied when rsync does not know of the last of them yet. */
const large = { files: 5000, bytes: 40_960 };

let bed: TestBed;
let sshd: PrivateSshd;
const sourceOf = (host: string): string => join(bed.directory, 'source', host);

beforeAll(async () => {
  bed = await TestBed.create();
  sshd = await bed.startSshd();
  const host = (name: string, settings: Partial<HostSettings> = {}): HostSettings =>
    bed.hostAt(sshd, { name, srcdirs: [sourceOf(name)], ...settings });
  // The comparison has to get by with a key that allows nothing but reading.
  const readOnly = await bed.startSshd({ forceCommand: 'rrsync -ro /' });
  await bed.configure([
    bed.hostAt(readOnly, { name: 'pull', srcdirs: [sourceOf('pull')] }),
    host('push', { initiator: 'client' }),
    host('part'),
    host('images'),
    host('images-pushed', { initiator: 'client' }),
    host('free', { max_change: 1 }),
    host('small'),
  ]);
  await bed.startDaemon();
});
afterAll(() => bed.end());

async function fill(host: string, { files, bytes } = large): Promise<void> {
  const names = Array.from(
    { length: files },
    (_, index) => [`d${Math.floor(index / 100)}/file-${index}`, bytes] as const,
  );
  await writeFiles(sourceOf(host), Object.fromEntries(names));
}

/** What `chown -R` does; who may not do that has `chmod`, which is the same to rsync. */
async function changeOwners(directory: string): Promise<string> {
  if (process.getuid?.() === 0) {
    await runCommand('chown', ['-R', '1234:1234', directory]);
    return 'owner 0:0 -> 1234:1234';
  }
  await runCommand('chmod', ['-R', 'go-rwx', directory]);
  return 'mode 644 -> 600';
}

async function expectEnded(host: string): Promise<Run> {
  const run = await bed.backUp(host);
  expect(run, JSON.stringify(run.error)).toMatchObject({
    state: RunState.FAILED,
    snapshot: '',
    error: { reason: 'MASS_METADATA_CHANGE' },
  });
  return run;
}

describe.each(['pull', 'push'])('fault 7: a chown -R, %s', (host) => {
  test('ends the backup before all is copied, and says what and how much', async () => {
    await fill(host);
    await expectBackup(bed, host, sourceOf(host));
    const isAsBefore = await takeStock(bed, host);
    const shown = await changeOwners(sourceOf(host));
    const run = await expectEnded(host);
    expect(run.error?.message).toContain(`5,000 of 5,000 files (100 %) below ${sourceOf(host)}`);
    expect(run.error?.message).toContain(shown);
    expect(run.error?.message).toContain('some 195.3 MiB would be copied once more');
    expect(run.error?.advice).toContain(`busy backup ${host} --accept-changes`);
    const log = await bed.readRunLog(run.id);
    expect(log).toContain('although only owner, mode or time differs');
    const copied = Number(/ended when ([\d,]+) files were copied/.exec(log)?.[1]?.replace(',', ''));
    expect(copied).toBeGreaterThanOrEqual(2560);
    expect(copied).toBeLessThan(5000);
    await isAsBefore();
  });

  test('leaves nothing that fills the disk bit by bit', async () => {
    await untilSwept(bed, host);
    await expectEnded(host);
    await untilSwept(bed, host);
    expect(await readdir(join(bed.backupdir, host))).toHaveLength(1);
  });

  test('goes through when it is accepted, and the next backup links again', async () => {
    const { code, stdout } = await bed.busy(['backup', host, '--accept-changes', '--follow']);
    expect(stdout).toMatch(
      /Links +0 files linked \(0 B\), 5,000 copied \(195.3 MiB\), 5,000 of them for owner/,
    );
    expect(code).toBe(0);
    const accepted = await bed.lastRun(host);
    const next = await expectBackup(bed, host, sourceOf(host));
    expect(next.jobs[0]?.stats).toMatchObject({ linkedFiles: 5000, copiedFiles: 0 });
    const fileIn = (run: Run): string => join(bed.snapshotPath(run), 'data', sourceOf(host), 'd0/file-0');
    expect(await inodeOf(fileIn(next))).toBe(await inodeOf(fileIn(accepted)));
  });

  test('and so does a shift of the clock', async () => {
    for (const name of await readdir(sourceOf(host), { recursive: true })) {
      const { mtime } = await lstat(join(sourceOf(host), name));
      const shifted = new Date(mtime.getTime() - 3_600_000);
      await utimes(join(sourceOf(host), name), shifted, shifted);
    }
    await expectEnded(host);
  });
});

test('a change of a part is compared, and the backup goes on', async () => {
  await fill('part');
  await expectBackup(bed, 'part', sourceOf('part'));
  // In the order in which rsync goes through them.
  const directories = Array.from({ length: 50 }, (_, index) => `d${index}`).sort();
  for (const name of directories.slice(0, 35)) await changeOwners(join(sourceOf('part'), name));
  const run = await expectBackup(bed, 'part', sourceOf('part'));
  expect(run.jobs[0]?.stats).toMatchObject({ attributeChangedFiles: 3500, linkedFiles: 1500 });
  expect(await bed.readRunLog(run.id)).toContain('70 % differ so, which is within max_change');
});

test.each(['images', 'images-pushed'])(
  'disk images that were changed in place are no such change (%s)',
  async (host) => {
    const image = (number: number): string => join(sourceOf(host), `disk${number}.img`);
    for (const number of [1, 2, 3, 4])
      await writeFiles(sourceOf(host), { [`disk${number}.img`]: 40_000_000 });
    await expectBackup(bed, host, sourceOf(host));
    for (const number of [1, 2, 3, 4]) {
      const file = await open(image(number), 'r+');
      await file.write(randomBytes(4096), 0, 4096, number === 1 ? 0 : 10_000_000 * (number - 1));
      await file.close();
    }
    const run = await expectBackup(bed, host, sourceOf(host));
    expect(run.jobs[0]?.stats).toMatchObject({ copiedFiles: 4, linkedFiles: 0 });
    expect(await bed.readRunLog(run.id)).toMatch(/\d of \d files of the same size have other contents/);
  },
);

test('max_change 1 ends nothing', async () => {
  await fill('free');
  await expectBackup(bed, 'free', sourceOf('free'));
  await changeOwners(sourceOf('free'));
  const run = await expectBackup(bed, 'free', sourceOf('free'));
  expect(run.jobs[0]?.stats).toMatchObject({
    attributeChangedFiles: 5000,
    copiedFiles: 5000,
    linkedFiles: 0,
  });
});

test('in a small tree it is no matter, and what was linked and copied is counted exactly', async () => {
  const source = sourceOf('small');
  await writeFiles(source, { same: 1000, changed: 2000, owner: 3000, gone: 1 });
  await runCommand('ln', [join(source, 'same'), join(source, 'second-name')]);
  const full = await expectBackup(bed, 'small', source);
  const nothing = { linkedFiles: 0, linkedBytes: 0, attributeChangedFiles: 0 };
  expect(full.jobs[0]?.stats).toMatchObject({
    ...nothing,
    regularFiles: 5,
    copiedFiles: 4,
    copiedBytes: 6001,
  });
  await writeFiles(source, { changed: 2500, new: 400 });
  await changeOwners(join(source, 'owner'));
  await rm(join(source, 'gone'));
  const run = await expectBackup(bed, 'small', source, BackupType.INCREMENTAL);
  expect(run.jobs[0]?.stats).toMatchObject({
    regularFiles: 5,
    copiedFiles: 3,
    copiedBytes: 5900,
    attributeChangedFiles: 1,
    linkedFiles: 2,
    linkedBytes: 2000,
  });
  await chmod(join(source, 'owner'), 0o640);
  expect(await listedSnapshots(bed, 'small')).toHaveLength(2);
  const { stdout } = await bed.busy(['snapshot', 'small', run.snapshot]);
  expect(stdout).toMatch(/Links +2 files linked \(2.0 KiB\), 3 copied \(5.8 KiB\), 1 of them for owner/);
  expect(await bed.readRunLog(run.id)).toContain(
    '2 files (2.0 KiB) are links, 3 files (5.8 KiB) were copied',
  );
});
