/**
 * The seed's section "How BUSY works": each title is one of its sentences, and its test shows that it is so. The
 * sentences about scripts, the database of the web page and archives stand with the tests of these.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupServiceService } from '../../src/gen/busy/v1/backup_service.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { listedSnapshots, untilCopying } from '../helpers/host-store.js';
import { executorOf } from '../helpers/run-processes.js';
import { standInForSendmail, type SendmailStandIn } from '../helpers/sendmail-stand-in.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
let sshd: PrivateSshd;
let laptop: PrivateSshd;
/** Nothing but the tests of jobs logs in here. */
let jobsSshd: PrivateSshd;
/** Notes the arguments of each rsync on the host. */
let notingRsync: string;
let sendmail: SendmailStandIn;

const at = (name: string): string => join(bed.directory, name);

beforeAll(async () => {
  bed = await TestBed.create();
  sshd = await bed.startSshd();
  laptop = await bed.startSshd();
  jobsSshd = await bed.startSshd();
  await laptop.stop();
  await writeFiles(at('source'), { file: 'content' });
  await writeFiles(at('large'), { file: 400_000 });
  for (const name of ['one', 'two', 'three']) await writeFiles(at(name), { file: name });
  notingRsync = await bed.writeProgram(
    'noting-rsync',
    `#!/bin/sh\necho "$*" >> '${at('rsync-calls')}'\nexec rsync "$@"\n`,
  );
  sendmail = await standInForSendmail(bed);
  const always = { srcdirs: [at('source')], schedule: [] };
  const slow = { srcdirs: [at('large')], schedule: [], bandwidth_limit: '200', max_age_incr: 30 };
  const jobs = { srcdirs: ['one', 'two', 'three'].map(at), rsync_path: notingRsync };
  await bed.configure(
    [
      bed.hostAt(laptop, { ...always, name: 'laptop' }),
      bed.hostAt(sshd, { ...always, name: 'fresh' }),
      // About a second: due again at each look.
      bed.hostAt(sshd, { ...always, name: 'often', max_age_incr: 0.00001 }),
      bed.hostAt(sshd, { ...always, name: 'not-yet', schedule: ['0 0 29 2 *'], catch_up: 0 }),
      bed.hostAt(sshd, { ...slow, name: 'slow-1' }),
      bed.hostAt(sshd, { ...slow, name: 'slow-2' }),
      bed.hostAt(jobsSshd, { ...jobs, name: 'pulled' }),
      bed.hostAt(jobsSshd, { ...jobs, name: 'pushed', initiator: 'client' }),
      bed.hostAt(sshd, { name: 'broken', srcdirs: ['/no/such/directory'], email: 'admin@example.org' }),
    ],
    { max_running: 1, mail: { sendmail: sendmail.program } },
  );
  await bed.startDaemon();
});
afterAll(() => bed.end());

describe('How BUSY works', () => {
  it('BUSY daemon wakes up periodically and checks for clients that are online and on schedule', async () => {
    await untilSnapshots('fresh', 1);
    expect(await listedSnapshots(bed, 'laptop')).toEqual([]);
    // Nobody tells the daemon.
    await laptop.restart();
    await untilSnapshots('laptop', 1);
    expect(await listedSnapshots(bed, 'not-yet')).toEqual([]);
    expect(await runsOf('not-yet')).toEqual([]);
  });

  it('if any, it checks, if this client(s) need a fresh backup and if yes, what type (full or incremental)', async () => {
    await untilSnapshots('often', 2);
    const often = (await runsOf('often')).filter(({ state }) => state === RunState.SUCCEEDED);
    expect(often[0]).toMatchObject({ type: BackupType.FULL, typeReason: 'there is no full snapshot yet' });
    expect(often[1]).toMatchObject({ type: BackupType.INCREMENTAL, requestedType: BackupType.AUTO });
    expect(await listedSnapshots(bed, 'fresh')).toHaveLength(1);
    const explained = await bed.busy(['explain', 'fresh', '--json']);
    expect(JSON.parse(explained.stdout)).toMatchObject({
      isOnSchedule: true,
      isOnline: true,
      type: 'BACKUP_TYPE_INCREMENTAL',
      waitsFor: 'its time to come',
    });
  });

  it('Any necessary backups are queued', async () => {
    const [[first], [second]] = [await runsOf('slow-1'), await runsOf('slow-2')];
    if (!first || !second) throw new Error('both were due at the start');
    const ended = [await bed.waitForRun(first.id), await bed.waitForRun(second.id)].toSorted(
      (a, b) => timeOf(a.startedAt) - timeOf(b.startedAt),
    );
    const [earlier, later] = ended;
    expect(ended.map(({ state }) => state)).toEqual([RunState.SUCCEEDED, RunState.SUCCEEDED]);
    expect(timeOf(later?.createdAt)).toBeLessThan(timeOf(earlier?.endedAt));
    expect(timeOf(later?.startedAt)).toBeGreaterThanOrEqual(timeOf(earlier?.endedAt));
  });

  it('In another process, BUSY looks up the queue and processes each queued backup', async () => {
    const runs = [await bed.trigger('slow-1', BackupType.FULL), await bed.trigger('slow-2', BackupType.FULL)];
    for (const { id, host } of runs) {
      await untilCopying(bed, { id, host }, { source: at('large'), name: 'file', leastBytes: 1 });
      expect(await executorOf(bed, host)).not.toBe(bed.daemonPid());
      expect((await bed.waitForRun(id)).state).toBe(RunState.SUCCEEDED);
    }
  });
});

describe('For each source directory a job', () => {
  it('For each backup’s source directory, BUSY creates a "job", which is a `Rsync` call', async () => {
    await writeFile(at('rsync-calls'), '');
    const run = await bed.backUp('pulled');
    expect(run.jobs.map(({ number, source, exitCode }) => [number, source, exitCode])).toEqual([
      [1, at('one'), 0],
      [2, at('two'), 0],
      [3, at('three'), 0],
    ]);
    const calls = (await rsyncCalls()).map((call) => call.split(' ').at(-1)?.replace(/\/$/, ''));
    expect(new Set(calls)).toEqual(new Set(['one', 'two', 'three'].map(at)));
    expect(calls).toHaveLength(3);
  });

  it.each(['pulled', 'pushed'])(
    'BUSY logs in to the client via `SSH` and issues the Rsync command on the client with the destination back on the server: %s',
    async (host) => {
      const loginsBefore = await logins();
      await writeFile(at('rsync-calls'), '');
      const run = await bed.backUp(host, BackupType.FULL);
      expect(run.state).toBe(RunState.SUCCEEDED);
      expect(await logins()).toBe(loginsBefore + 1);
      expect(await rsyncCalls()).toHaveLength(3);
      for (const call of await rsyncCalls()) {
        // As a server of the transfer it only sends; as the client of it it says where to: to no other login.
        if (host === 'pulled') expect(call).toContain('--server --sender');
        else expect(call).not.toContain('--server');
      }
      for (const name of ['one', 'two', 'three']) {
        const copy = join(bed.snapshotPath(run), 'data', at(name), 'file');
        expect(await readFile(copy, 'utf8')).toBe(name);
      }
    },
  );

  it('Logfiles of the backup process and each rsync call are stored in the backup directory', async () => {
    const run = await bed.backUp('pulled');
    const names = await readdir(bed.snapshotPath(run));
    expect(names).toEqual(expect.arrayContaining(['backup.log', 'job-1.log', 'job-2.log', 'job-3.log']));
    const log = await readFile(join(bed.snapshotPath(run), 'backup.log'), 'utf8');
    for (const name of ['one', 'two', 'three']) expect(log).toContain(at(name));
    expect(await bed.readRunLog(run.id)).toContain(log.trimEnd());
    for (const number of [1, 2, 3])
      expect(await readFile(join(bed.snapshotPath(run), `job-${number}.log`), 'utf8')).not.toBe('');
  });
});

describe('Failures', () => {
  it('If anything goes wrong, an Email is sent to a specified address, informing about the failure', async () => {
    await bed.backUp('pulled');
    const run = await bed.backUp('broken');
    expect(run.state).toBe(RunState.FAILED);
    await until(async () => (await sendmail.mails()).length > 0, 'the mail');
    const [mail, ...others] = await sendmail.mails();
    expect(mail).toMatchObject({
      recipient: 'admin@example.org',
      subject: 'broken FAILED (SOURCE_MISSING)',
      text: expect.stringContaining(run.id),
    });
    expect(others).toEqual([]);
  });
});

async function runsOf(host: string): Promise<Run[]> {
  const client = bed.backups;
  try {
    const request = { host, pageSize: 0, pageToken: '', states: [] };
    const { runs } = await callMethod(client, BackupServiceService.listRuns, request);
    return runs.toReversed();
  } finally {
    client.close();
  }
}

async function untilSnapshots(host: string, least: number): Promise<void> {
  await until(
    async () => (await listedSnapshots(bed, host)).length >= least,
    `${least} snapshots of ${host}`,
    () => bed.daemonLog(),
  );
}

/** What was started on the host to copy, without the questions for the version. */
async function rsyncCalls(): Promise<string[]> {
  const lines = (await readFile(at('rsync-calls'), 'utf8')).trim().split('\n');
  return lines.filter((line) => line !== '' && line !== '--version');
}

async function logins(): Promise<number> {
  return (await readFile(jobsSshd.logFile, 'utf8')).split('Accepted publickey').length - 1;
}

function timeOf(moment: Date | undefined): number {
  return moment?.getTime() ?? NaN;
}
