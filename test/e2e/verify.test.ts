/** Verification with the real thing: damage is made on the disk, found, named, told by mail, and not handed on. */
import { chmod, link, lstat, mkdir, open, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BackupType,
  DifferenceKind,
  RunKind,
  RunPhase,
  RunState,
  type Run,
} from '../../src/gen/busy/v1/run.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { standInForSendmail, type SendmailStandIn } from '../helpers/sendmail-stand-in.js';
import { expectBackup } from '../helpers/stock.js';
import { runCommand } from '../helpers/run-command.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { inodeOf, writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
let sendmail: SendmailStandIn;
const source = (): string => join(bed.directory, 'source');
const oddName = Buffer.from([0x6f, 0x64, 0x64, 0xff, 0x2a, 0x5c, 0x2e]);

beforeAll(async () => {
  bed = await TestBed.create();
  sendmail = await standInForSendmail(bed);
  const sshd = await bed.startSshd();
  await writeFiles(source(), {
    'etc/hosts': 'hosts',
    'etc/with [brackets]*?': 'brackets',
    'deep/er/file': 5000,
    'deep/linked': 'linked',
    'Grüße/ä': 'umlaut',
    'sub/nested/file': 'nested',
    other: 100_000,
  });
  await link(join(source(), 'deep/linked'), join(source(), 'etc/linked too'));
  await writeFile(Buffer.concat([Buffer.from(`${source()}/`), oddName]), 'odd');
  await bed.configure(
    (['server', 'client'] as const).map((initiator) =>
      bed.hostAt(sshd, {
        name: initiator,
        initiator,
        srcdirs: [source(), join(source(), 'sub')],
        email: 'admin@example.org',
      }),
    ),
    { mail: { sendmail: sendmail.program } },
  );
  await bed.startDaemon();
});
afterAll(() => bed.end());

function inSnapshot(run: Run, name: string): string {
  return join(bed.snapshotPath(run), 'data', source(), name);
}

/** Turns one bit of a file around, as a disk does: neither size nor times tell. */
async function damage(path: string | Buffer): Promise<void> {
  const { mtimeNs } = await lstat(path, { bigint: true });
  const file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 1);
  buffer[0] = (buffer[0] ?? 0) ^ 1;
  await file.write(buffer, 0, 1, 1);
  await file.close();
  await setTime(path, mtimeNs);
}

/** To the nanosecond, which Node cannot; by a descriptor, since no argument can hold every name. */
async function setTime(path: string | Buffer, nanoseconds: bigint): Promise<void> {
  const file = await open(path, 'r');
  const time = `@${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`;
  const { code } = await runCommand('touch', ['-m', '-d', time, '--', `/proc/${process.pid}/fd/${file.fd}`]);
  await file.close();
  expect(code).toBe(0);
}

async function verify(host: string, name = ''): Promise<Run> {
  const client = bed.snapshots;
  try {
    const request = { host, name, requestId: '' };
    const { run } = await callMethod(client, SnapshotServiceService.verifySnapshot, request);
    return await bed.waitForRun(run?.id ?? '');
  } finally {
    client.close();
  }
}

async function snapshotFacts(run: Run): Promise<{ verifiedAt?: string; damagedFileCount?: number }> {
  const { stdout } = await bed.busy(['snapshot', run.host, run.snapshot, '--json']);
  return (JSON.parse(stdout) as { snapshot: { verifiedAt?: string; damagedFileCount?: number } }).snapshot;
}

describe.each(['server', 'client'])('damage to the snapshots of a host with initiator %s', (host) => {
  let full: Run;
  let incremental: Run;

  it('is not there at first: every byte is read once', async () => {
    full = await expectBackup(bed, host, source(), BackupType.FULL);
    incremental = await expectBackup(bed, host, source(), BackupType.INCREMENTAL);
    const one = await verify(host, full.snapshot);
    expect(one, JSON.stringify(one.error)).toMatchObject({
      kind: RunKind.VERIFY,
      state: RunState.SUCCEEDED,
      snapshot: full.snapshot,
      verification: { snapshots: [full.snapshot], filesRead: 8, differenceCount: 0, unverifiable: [] },
    });
    const all = await verify(host);
    expect(all.verification).toMatchObject({
      snapshots: [full.snapshot, incremental.snapshot],
      filesRead: 8,
      damagedFileCount: 0,
    });
    expect((await snapshotFacts(full)).verifiedAt).toBeDefined();
    expect((await bed.busy(['verify', host, incremental.snapshot])).code).toBe(0);
  });

  it('is found, named in the run, its log and a mail, and known of all snapshots that share the file', async () => {
    const names = ['etc/hosts', 'etc/with [brackets]*?', 'deep/linked', 'Grüße/ä', 'sub/nested/file'];
    for (const name of names) await damage(inSnapshot(full, name));
    await damage(Buffer.concat([Buffer.from(`${inSnapshot(full, '')}/`), oddName]));
    const before = (await sendmail.mails()).length;
    const { code, stdout, stderr } = await bed.busy(['verify', `${host}/${full.snapshot}`]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/Host "\w+" has 7 damaged or missing files in its snapshots/);
    expect(stdout).toMatch(/content +\S+\/etc\/hosts +its hash was [0-9a-f]{64}, is [0-9a-f]{64}/);
    const run = await bed.lastRun(host);
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'SNAPSHOT_DAMAGED' } });
    const damaged = run.verification?.differences ?? [];
    expect(damaged.every(({ kind }) => kind === DifferenceKind.CONTENT)).toBe(true);
    const paths = [...names, 'etc/linked too', 'odd\\#377*\\.'].map((name) => `${source()}/${name}`);
    expect(damaged.map(({ path }) => path).sort()).toEqual(paths.sort());
    const log = await bed.readRunLog(run.id);
    for (const path of paths) expect(log).toContain(`${full.snapshot}: content: ${path.replace('\\', '\\')}`);
    for (const snapshot of [full, incremental])
      expect((await snapshotFacts(snapshot)).damagedFileCount).toBe(7);
    await until(async () => (await sendmail.mails()).length > before, 'a mail of the damage');
    const mail = (await sendmail.mails()).at(-1);
    expect(mail?.subject).toBe(`${host} DAMAGED files in snapshots`);
    expect(mail?.text).toContain(`${full.snapshot} ${source()}/etc/hosts: content`);
    expect(mail?.text).toContain(`busy backup ${host} --follow`);
    expect((await bed.busy(['info'])).stdout).toMatch(/[2-9] snapshots are DAMAGED/);
  });

  it('is not handed on: the next backup stores these files afresh, and the one after links to those', async () => {
    const next = await expectBackup(bed, host, source(), BackupType.INCREMENTAL);
    expect(await bed.readRunLog(next.id)).toContain(
      '7 files taken from damaged ones: the host sends these files again',
    );
    expect(await readFile(inSnapshot(next, 'etc/hosts'), 'utf8')).toBe('hosts');
    expect(await readFile(inSnapshot(full, 'etc/hosts'), 'utf8')).not.toBe('hosts');
    expect(await inodeOf(inSnapshot(next, 'etc/hosts'))).not.toBe(
      await inodeOf(inSnapshot(full, 'etc/hosts')),
    );
    expect(await inodeOf(inSnapshot(next, 'deep/linked'))).toBe(
      await inodeOf(inSnapshot(next, 'etc/linked too')),
    );
    expect(await inodeOf(inSnapshot(next, 'other'))).toBe(await inodeOf(inSnapshot(full, 'other')));
    expect(await verify(host, next.snapshot)).toMatchObject({ state: RunState.SUCCEEDED });
    const after = await expectBackup(bed, host, source(), BackupType.INCREMENTAL);
    expect(await inodeOf(inSnapshot(after, 'etc/hosts'))).toBe(await inodeOf(inSnapshot(next, 'etc/hosts')));
    expect(await bed.readRunLog(after.id)).not.toContain('damaged');
    expect(after.jobs[0]?.stats).toMatchObject({ filesTransferred: 0 });
  });

  it('is not handed on as a copy either, where owner, mode or the like of the file have changed since', async () => {
    const before = await expectBackup(bed, host, source(), BackupType.INCREMENTAL);
    await damage(inSnapshot(before, 'other'));
    expect((await verify(host, before.snapshot)).state).toBe(RunState.FAILED);
    await chmod(join(source(), 'other'), host === 'server' ? 0o711 : 0o700);
    const next = await expectBackup(bed, host, source(), BackupType.INCREMENTAL);
    expect(await verify(host, next.snapshot)).toMatchObject({ state: RunState.SUCCEEDED });
    const after = await expectBackup(bed, host, source(), BackupType.INCREMENTAL);
    expect(await inodeOf(inSnapshot(after, 'other'))).toBe(await inodeOf(inSnapshot(next, 'other')));
    expect(await bed.readRunLog(after.id)).not.toContain('damaged');
  });

  it('is no more when the file was mended by hand', async () => {
    const mended = await expectBackup(bed, host, source(), BackupType.FULL);
    const file = inSnapshot(mended, 'etc/hosts');
    await damage(file);
    expect((await verify(host, mended.snapshot)).state).toBe(RunState.FAILED);
    expect((await snapshotFacts(mended)).damagedFileCount).toBe(1);
    await damage(file);
    expect((await verify(host, mended.snapshot)).state).toBe(RunState.SUCCEEDED);
    expect((await snapshotFacts(mended)).damagedFileCount ?? 0).toBe(0);
  });
});

function kindsOf({ verification }: Run): Record<string, DifferenceKind> {
  const differences = verification?.differences ?? [];
  return Object.fromEntries(differences.map(({ path, kind }) => [path.slice(source().length), kind]));
}

describe('what differs in a snapshot', () => {
  let run: Run;
  beforeAll(async () => {
    run = await expectBackup(bed, 'server', source(), BackupType.FULL);
  });

  it('in its attributes alone is no damage, but said', async () => {
    await chmod(inSnapshot(run, 'deep'), 0o700);
    await writeFile(inSnapshot(run, 'deep/extra'), 'x');
    await utimes(inSnapshot(run, 'other'), 1, 1);
    const verified = await verify('server', run.snapshot);
    expect(verified).toMatchObject({ state: RunState.PARTIAL, error: { reason: 'SNAPSHOT_CHANGED' } });
    expect(kindsOf(verified)).toMatchObject({
      '/deep/extra': DifferenceKind.EXTRA,
      '/other': DifferenceKind.MTIME,
    });
    expect((await bed.busy(['verify', 'server', run.snapshot])).code).toBe(5);
  });

  it('in its contents is damage: missing, cut, of another kind', async () => {
    await rm(inSnapshot(run, 'etc'), { recursive: true });
    await runCommand('truncate', ['-s', '99999', inSnapshot(run, 'other')]);
    await rm(inSnapshot(run, 'deep/er/file'));
    await mkdir(inSnapshot(run, 'deep/er/file'));
    const verified = await verify('server', run.snapshot);
    expect(verified).toMatchObject({ state: RunState.FAILED, error: { reason: 'SNAPSHOT_DAMAGED' } });
    expect(kindsOf(verified)).toMatchObject({
      '/etc': DifferenceKind.MISSING,
      '/etc/hosts': DifferenceKind.MISSING,
      '/deep/er/file': DifferenceKind.TYPE,
    });
    const { stdout } = await bed.busy(['verify', 'server', run.snapshot, '--json']);
    const [last = ''] = stdout.trim().split('\n').slice(-1);
    expect(JSON.parse(last)).toMatchObject({
      run: { state: 'RUN_STATE_FAILED', verification: { damagedFileCount: 6 } },
    });
  });

  it('also when its manifest itself is lost', async () => {
    await rename(join(bed.snapshotPath(run), 'manifest.gz'), join(bed.snapshotPath(run), 'away'));
    const verified = await verify('server', run.snapshot);
    expect(verified).toMatchObject({ state: RunState.FAILED, error: { reason: 'SNAPSHOT_DAMAGED' } });
    expect(verified.verification?.differences).toMatchObject([
      { kind: DifferenceKind.MANIFEST, path: '/manifest.gz', detail: 'it is not there any more' },
    ]);
  });

  it('cannot be said of one that is gone, and of none there is nothing to say', async () => {
    await rename(bed.snapshotPath(run), `${bed.snapshotPath(run)}.away`);
    expect(await verify('server', run.snapshot)).toMatchObject({
      state: RunState.FAILED,
      error: { reason: 'BACKUPDIR_UNUSABLE' },
    });
    const unknown = await bed.busy(['verify', 'server', '2020-01-01_00-00-00f']);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('SNAPSHOT_NOT_FOUND') });
  });
});

describe('a verification', () => {
  it('shows how far it is, can be cancelled, and stands in no way of a backup', async () => {
    const large = await expectBackup(bed, 'client', source(), BackupType.FULL);
    // Holes: quick to make, slow to read. The manifest is written anew for it.
    await runCommand('truncate', ['-s', '64G', inSnapshot(large, 'other')]);
    await rewriteManifest(
      bed.snapshotPath(large),
      `${source()}/other`,
      64 * 1024 ** 3,
      inSnapshot(large, 'other'),
    );
    const started = await bed.busy(['verify', 'client', large.snapshot, '--no-follow', '--json']);
    const { run } = JSON.parse(started.stdout) as { run: { id: string } };
    const running = await bed.waitForRun(run.id, ({ progress }) => (progress?.bytesDone ?? 0) > 1e6);
    expect(running).toMatchObject({ state: RunState.RUNNING, progress: { phase: RunPhase.VERIFY } });
    const second = await bed.busy(['verify', 'client']);
    expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining('HOST_BUSY') });
    const backup = await bed.trigger('client');
    await bed.waitForRun(backup.id, ({ state }) => state === RunState.RUNNING);
    // It would compare the holes for long.
    expect((await bed.busy(['cancel', backup.id])).code).toBe(0);
    expect((await bed.busy(['cancel', run.id])).code).toBe(0);
    expect(await bed.waitForRun(run.id)).toMatchObject({ state: RunState.CANCELLED });
    expect((await snapshotFacts(large)).verifiedAt).toBeUndefined();
  });
});

/** As if the file had been of this size when the snapshot was made. */
async function rewriteManifest(snapshot: string, path: string, size: number, file: string): Promise<void> {
  const { mtimeNs } = await lstat(file, { bigint: true });
  const { stdout } = await runCommand('zcat', [join(snapshot, 'manifest.gz')]);
  const lines = stdout.trimEnd().split('\n').slice(0, -1);
  const changed = lines.map((line) => {
    const words = line.split(' ');
    if (words[8] !== path) return line;
    words[4] = String(size);
    words[5] = String(mtimeNs);
    return words.join(' ');
  });
  const text = `${changed.join('\n')}\n`;
  const sum = createHash('sha256').update(text).digest('hex');
  const totals = stdout.trimEnd().split('\n').at(-1)?.split(' ').slice(0, 5).join(' ') ?? '';
  await writeFile(join(snapshot, 'manifest.gz'), gzipSync(`${text}${totals} ${sum}\n`));
}
