/** Restore drills with the real thing: what comes back is compared, told, remembered, and nothing is left on the disk. */
import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunKind, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { callMethod, reasonOf } from '../helpers/grpc-calls.js';
import { standInForSendmail, type SendmailStandIn } from '../helpers/sendmail-stand-in.js';
import { mountSmallDisk, type SmallDisk } from '../helpers/small-disk.js';
import { expectBackup } from '../helpers/stock.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
let sendmail: SendmailStandIn;
let disk: SmallDisk;
let snapshot: Run;
let first: Run;
const smallDir = (): string => join(bed.directory, 'small');
const source = (): string => join(bed.directory, 'source');
const oddName = Buffer.from([0x6f, 0x64, 0x64, 0xff, 0x2a, 0x5c, 0x0a]);

beforeAll(async () => {
  bed = await TestBed.create();
  sendmail = await standInForSendmail(bed);
  await mkdir(smallDir());
  disk = await mountSmallDisk(smallDir(), '24m');
  const sshd = await bed.startSshd();
  const many = Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [`many/file ${at}`, `content ${at}`]),
  );
  await writeFiles(source(), { 'etc/hosts': 'hosts', 'etc/deep/er': 5000, ...many });
  await writeFile(Buffer.concat([Buffer.from(`${source()}/etc/`), oddName]), 'odd');
  const large = join(bed.directory, 'large');
  await writeFiles(large, { 'a/large': 14_000_000 });
  const check = await bed.writeProgram(
    'check',
    `#!/bin/sh\necho "looks at $BUSY_HOST"; test "$(cat ".$1")" = hosts\n`,
  );
  await bed.configure(
    [
      bed.hostAt(sshd, {
        name: 'web1',
        srcdirs: [source()],
        email: 'admin@example.org',
        drill_sample: 10,
        drill_paths: [`${source()}/etc`],
        drill_command: [check, `${source()}/etc/hosts`],
      }),
      bed.hostAt(sshd, { name: 'small', srcdirs: [large], backupdir: smallDir(), min_free: 0 }),
    ],
    { mail: { sendmail: sendmail.program } },
  );
  await bed.startDaemon();
  snapshot = await expectBackup(bed, 'web1', source());
}, 120_000);
afterAll(async () => {
  await bed.stopDaemon();
  await disk.unmount();
  await bed.end();
});

async function drill(host: string, repeatRunId = ''): Promise<Run> {
  const client = bed.snapshots;
  try {
    const request = { host, snapshot: '', repeatRunId, requestId: '' };
    const { run } = await callMethod(client, SnapshotServiceService.drillRestore, request);
    return await bed.waitForRun(run?.id ?? '');
  } finally {
    client.close();
  }
}

async function scratches(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.includes('drill'));
}

describe('a drill', () => {
  it('restores a sample and what is named, compares it, and proves that a restore works', async () => {
    first = await drill('web1');
    expect(first, JSON.stringify(first.error)).toMatchObject({
      kind: RunKind.DRILL,
      state: RunState.SUCCEEDED,
      snapshot: snapshot.snapshot,
      drill: { seed: first.id, differenceCount: 0, commandEnd: 'ended with code 0', hasCommandPassed: true },
    });
    // Three in etc, and ten of all, of which some may be the same.
    expect(first.drill?.files).toBeGreaterThanOrEqual(10);
    expect(first.drill?.files).toBeLessThanOrEqual(13);
    expect(first.drill?.bytesPerSecond).toBeGreaterThan(0);
    expect(await bed.readRunLog(first.id)).toContain('drill_command: looks at web1');
    expect(await scratches(join(bed.backupdir, 'web1'))).toEqual([]);
    const again = await drill('web1', first.id);
    expect(again.drill).toMatchObject({
      seed: first.id,
      files: first.drill?.files,
      bytes: first.drill?.bytes,
    });
    await expect(drill('web1', snapshot.id).catch((error: unknown) => reasonOf(error))).resolves.toBe(
      'DRILL_NOT_REPEATABLE',
    );
  });

  it('is remembered over a restart, and what one has left after a crash is removed', async () => {
    await bed.stopDaemon();
    const left = join(bed.backupdir, 'web1/.drill-01CRASHED/data');
    await mkdir(left, { recursive: true });
    await bed.startDaemon();
    const { stdout } = await bed.busy(['hosts']);
    expect(stdout).toContain('RESTORE PROVEN');
    const shown = await bed.busy(['host', 'web1']);
    expect(shown.stdout).toMatch(new RegExp(`Restore proven .*from ${snapshot.snapshot} at .*/s`));
    await until(async () => (await scratches(join(bed.backupdir, 'web1'))).length === 0, 'the sweep');
  });

  it('finds a file that is not as it was, names it, and tells it by mail', async () => {
    const file = join(bed.snapshotPath(snapshot), 'data', source(), 'etc/deep/er');
    const handle = await open(file, 'r+');
    const { mtime, atime } = await handle.stat();
    await handle.write('X', 1);
    await handle.utimes(atime, mtime);
    await handle.close();
    const before = (await sendmail.mails()).length;
    const { code, stdout } = await bed.busy(['drill', 'web1', '--follow']);
    expect(code).toBe(1);
    expect(stdout).toContain('DRILL_FAILED');
    expect(stdout).toMatch(/content +\S+\/etc\/deep\/er/);
    const { stdout: hosts } = await bed.busy(['hosts']);
    expect(hosts).toMatch(/FAILED/);
    await until(async () => (await sendmail.mails()).length > before, 'the mail');
    const mail = (await sendmail.mails()).at(-1);
    expect(JSON.stringify(mail)).toContain('restore drill FAILED');
    expect(JSON.stringify(mail)).toContain('etc/deep/er');
    expect(await scratches(join(bed.backupdir, 'web1'))).toEqual([]);
  });

  it('never fills the disk of the backups', async () => {
    await bed.backUp('small');
    const run = await drill('small');
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'DRILL_NO_ROOM' } });
    expect(await scratches(join(smallDir(), 'small'))).toEqual([]);
  });
});
