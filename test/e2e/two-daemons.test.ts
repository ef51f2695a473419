import { status } from '@grpc/grpc-js';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { processTree } from '../../clients/quickstart/process-tree.js';
import type { MysqlAddress } from '../../src/core/database-address.js';
import { DaemonServiceService, DatabaseState } from '../../src/gen/busy/v1/daemon_service.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { callMethod, reasonOf } from '../helpers/grpc-calls.js';
import { listedSnapshots, untilCopying } from '../helpers/host-store.js';
import { databaseUrl, PrivateMariadb } from '../helpers/private-mariadb.js';
import { executorPids, localRsyncPids } from '../helpers/run-processes.js';
import { expectBackup } from '../helpers/stock.js';
import type { CommandResult } from '../helpers/run-command.js';
import { isAlive, TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';
import { startCopying } from '../helpers/watched-run.js';

let mariadb: PrivateMariadb;
let sshd: PrivateSshd;
/** Two servers, as far as they know: each has its own state and sockets, and both reach the same backup disk. */
let a: TestBed;
let b: TestBed;
let source: string;
let address: MysqlAddress;

beforeAll(async () => {
  mariadb = await PrivateMariadb.start();
});
afterAll(() => mariadb.end());

async function makeBeds(): Promise<void> {
  address = await mariadb.freshDatabase();
  a = await TestBed.create();
  b = await TestBed.create(a);
  sshd = await a.startSshd();
  source = join(a.directory, 'source');
  await writeFiles(source, { kept: 1000, large: 3_000_000 });
}

async function endBeds(): Promise<void> {
  await mariadb.restart();
  mariadb.thaw();
  await b.end();
  await a.end();
}

/**
 * Where nobody is to be taken over, `takeover_after` is long: on a busy machine a daemon that lives must not be taken for
 * one that is out of touch. Where a test waits for it, it is as short as such a machine allows.
 */
const takenOverSoon = { takeover_after: '8s' };

async function start(
  settings: Readonly<Record<string, unknown>> = {},
  slow: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const hosts = [
    a.hostAt(sshd, { name: 'slow', srcdirs: [source], bandwidth_limit: 300, ...slow }),
    a.hostAt(sshd, { name: 'web1', srcdirs: [source] }),
  ];
  for (const bed of [a, b]) {
    await bed.configure(hosts, { database: databaseUrl(address), takeover_after: '20s', ...settings });
    // The first takes all hosts.
    await bed.startDaemon();
  }
}

describe('two daemons on one database', () => {
  beforeAll(async () => {
    await makeBeds();
    await start();
  });
  afterAll(endBeds);

  it('share a backup directory; one has the hosts, and the other says which', async () => {
    const first = await expectBackup(a, 'web1', source);
    const refused = await b.busy(['backup', 'web1']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`in the hands of another busyd (process ${a.daemonPid()} on machine `);
    const refusal: unknown = await b.trigger('web1').catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: status.FAILED_PRECONDITION });
    expect(reasonOf(refusal)).toBe('HOST_ELSEWHERE');
    expect((await b.busy(['prune', 'web1'])).stderr).toContain('in the hands of another busyd');

    const info = await b.busy(['info']);
    expect(info.stdout).toMatch(new RegExp(`Shared with +process ${a.daemonPid()} on .*, with 2 hosts\n`));
    expect((await a.busy(['info'])).stdout).toMatch(/Shared with .*, with 0 hosts\n/);
    // Each answers for both.
    await until(
      async () => (await listedSnapshots(b, 'web1')).length === 1,
      'the other to list the snapshot',
    );
    expect((await b.lastRun('web1')).id).toBe(first.id);
  });

  it('a run of the other is seen here, and cancelled there', async () => {
    const { id } = await startCopying(a, 'slow', { source, name: 'large' });
    const seen = await b.waitForRun(id, (run) => run.state === RunState.RUNNING);
    expect(seen.host).toBe('slow');
    const refused = await b.busy(['cancel', id]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`process ${a.daemonPid()}`);
    const log = await b.busy(['logs', id, '--follow']);
    expect([log.code, log.stderr]).toEqual([1, refused.stderr]);
    expect((await a.busy(['cancel', id])).code).toBe(0);
    expect((await b.waitForRun(id)).state).toBe(RunState.CANCELLED);
  });

  it('keep out a third one with another database', async () => {
    const stranger = await TestBed.create(a);
    await stranger.configure([a.hostAt(sshd, { name: 'web1', srcdirs: [source] })]);
    const { code, stderr } = await stranger.busyd(['--config', stranger.configFile]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `The backup directory ${a.backupdir} belongs to the daemons of another database (mysql:`,
    );
    expect(stderr).toContain(`remove ${join(a.backupdir, '.busyd.lock')}`);
    expect(stderr).not.toContain(address.password);
    await stranger.end();
  });
});

describe('of two daemons on one database', () => {
  beforeEach(makeBeds);
  afterEach(endBeds);

  it('one that stops gives its hosts to the other at once', async () => {
    await start();
    const first = await expectBackup(a, 'web1', source);
    expect(await a.stopDaemon()).toBe(0);
    expect(await readdir(a.backupdir)).toContain('.busyd.lock');
    await until(() => backsUp(b), 'the other to have the host');
    const second = await expectBackup(b, 'web1', source);
    expect(second.type).toBe(BackupType.INCREMENTAL);
    expect(await listedSnapshots(b, 'web1')).toEqual(
      expect.arrayContaining([first.snapshot, second.snapshot]),
    );
    // Back again, it takes nothing away.
    await a.startDaemon();
    expect(reasonOf(await a.trigger('web1').catch((error: unknown) => error))).toBe('HOST_ELSEWHERE');
    await a.stopDaemon();
    await b.stopDaemon();
    expect(await readdir(a.backupdir)).not.toContain('.busyd.lock');
  });

  it('what waits at one that dies is carried out by the other', async () => {
    await start({ ...takenOverSoon, max_running: 1 });
    await startCopying(a, 'slow', { source, name: 'large' });
    const waiting = await a.trigger('web1');
    expect(waiting.state).toBe(RunState.QUEUED);
    await a.stopDaemon('SIGKILL');
    expect((await b.waitForRun(waiting.id)).state).toBe(RunState.SUCCEEDED);
  });

  it('reindex leaves alone the hosts of one that lives, and takes care of the others', async () => {
    await start();
    const full = await expectBackup(a, 'web1', source);
    const next = await expectBackup(a, 'web1', source);
    await b.stopDaemon();
    await rm(a.snapshotPath(full), { recursive: true });
    const reindex = (): Promise<CommandResult> => b.busyd(['--config', b.configFile, 'reindex']);
    const refused = await reindex();
    expect(refused.stderr).toBe('');
    expect(refused.stdout).toContain(
      `web1: is in the hands of another busyd (process ${a.daemonPid()} on machine `,
    );
    expect(await listedSnapshots(a, 'web1')).toHaveLength(2);
    await a.stopDaemon();
    expect((await reindex()).stdout).toContain(
      `web1: 0 added, 0 corrected, 1 removed, 1 kept\n  - ${full.snapshot}`,
    );
    // It gave all back.
    await a.startDaemon();
    expect(await listedSnapshots(a, 'web1')).toEqual([next.snapshot]);
    await expectBackup(a, 'web1', source);
  });
});

describe('when one of two daemons', () => {
  beforeEach(makeBeds);
  afterEach(endBeds);

  it('is killed in mid-backup, the other marks its run INTERRUPTED and goes on by schedule', async () => {
    await start(takenOverSoon, { schedule: ['* * * * *'], retry_after: '1s' });
    const killed = await runOf(a, 'slow');
    await untilCopying(a, killed, { source, name: 'large', leastBytes: 100_000 });
    await a.stopDaemon('SIGKILL');

    const interrupted = await b.waitForRun(killed.id);
    expect(interrupted).toMatchObject({ state: RunState.INTERRUPTED, error: { reason: 'DAEMON_DIED' } });
    expect(b.daemonLog()).toMatch(/another daemon has died, its hosts are taken over/);
    await until(async () => (await b.lastRun('slow')).id !== killed.id, 'the next backup of the host');
    const next = await b.lastRun('slow');
    expect((await b.waitForRun(next.id)).state).toBe(RunState.SUCCEEDED);
    expect(await b.readRunLog(next.id)).toContain('backup of slow was asked for');
    await expectOneAtATime('slow');
    expect(await listedSnapshots(b, 'slow')).toHaveLength(1);
  });

  it('is frozen, its runs stop by themselves before the other begins; thawed, it knows that it has nothing', async () => {
    await start({ takeover_after: '10s' });
    const { id } = await startCopying(a, 'slow', { source, name: 'large' });
    const executors = await executorPids(a);
    const copying = await localRsyncPids(a);
    expect(copying.length).toBeGreaterThan(0);
    process.kill(a.daemonPid(), 'SIGSTOP');
    await until(() => !copying.some(isAlive), 'the copying processes of a frozen daemon to end');
    // Its lease has not ended by then.
    expect((await runState(id))[0]).toBe('RUNNING');
    expect((await b.waitForRun(id)).state).toBe(RunState.INTERRUPTED);
    await until(() => backsUp(b), 'the other to have the host');

    process.kill(a.daemonPid(), 'SIGCONT');
    await until(
      () => /another daemon has taken over the hosts of this one/.test(a.daemonLog()),
      'the thawed one to know',
    );
    expect(reasonOf(await a.trigger('web1').catch((error: unknown) => error))).toBe('HOST_ELSEWHERE');
    expect(await runState(id)).toEqual(['INTERRUPTED']);
    await until(
      async () => (await a.lastRun('slow')).state === RunState.INTERRUPTED,
      'the thawed one to say so',
    );
    expect((await processTree(a.daemonPid())).filter((pid) => executors.includes(pid)).every(isAlive)).toBe(
      true,
    );
    await b.stopDaemon();
    await until(() => backsUp(a), 'the thawed one to have the host');
    await expectBackup(a, 'web1', source);
  });

  it('and the other lose the database for long, runs stop, nobody is taken over, and all goes on afterwards', async () => {
    await start(takenOverSoon);
    const { id, ended } = await startCopying(a, 'slow', { source, name: 'large' });
    await mariadb.stop();
    const run = await ended;
    expect(run).toMatchObject({ state: RunState.INTERRUPTED, error: { reason: 'LEASE_LOST' } });
    await mariadb.restart();
    await until(() => backsUp(a), 'the first to go on with its host');
    expect(await runState(id)).toEqual(['INTERRUPTED']);
    expect(a.daemonLog() + b.daemonLog()).not.toMatch(/taken over/);
    await expectBackup(a, 'web1', source);
  });

  it('is cut from the database in mid-backup for a moment, nothing happens', async () => {
    await start({ takeover_after: '30s' });
    const { id, ended } = await startCopying(a, 'slow', { source, name: 'large' });
    await mariadb.kill();
    await mariadb.restart();
    expect((await ended).state).toBe(RunState.SUCCEEDED);
    await until(async () => (await runState(id))[0] === 'SUCCEEDED', 'the run to be recorded');
    expect(a.daemonLog() + b.daemonLog()).not.toMatch(/taken over/);
  });
});

/** The newest run of a host, as soon as there is one. */
async function runOf(bed: TestBed, host: string): Promise<Run> {
  await until(
    () =>
      bed.lastRun(host).then(
        () => true,
        () => false,
      ),
    `a run of ${host}`,
  );
  return bed.lastRun(host);
}

/** Whether the daemon has web1: it would back it up. */
async function backsUp(bed: TestBed): Promise<boolean> {
  const client = bed.info;
  try {
    const info = await callMethod(client, DaemonServiceService.getDaemonInfo, {});
    const isAway = info.databaseState === DatabaseState.UNAVAILABLE;
    return !isAway && info.otherDaemons.every(({ hostCount }) => hostCount === 0);
  } finally {
    client.close();
  }
}

async function runState(id: string): Promise<string[]> {
  const answer = await mariadb.sql(`SELECT state FROM ${address.name}.runs WHERE id = '${id}'`);
  return answer.trim().split('\n');
}

/** No run of a host began before the one before it had ended. */
async function expectOneAtATime(host: string): Promise<void> {
  const overlaps = await mariadb.sql(
    `SELECT x.id, y.id FROM ${address.name}.runs x JOIN ${address.name}.runs y
     ON x.host = y.host AND x.id < y.id AND y.started_at < x.ended_at WHERE x.host = '${host}'`,
  );
  expect(overlaps).toBe('');
}
