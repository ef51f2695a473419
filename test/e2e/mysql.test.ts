import { status } from '@grpc/grpc-js';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import type { MysqlAddress } from '../../src/core/database-address.js';
import { BackupType, RunState } from '../../src/gen/busy/v1/run.js';
import { HealthCheckResponse_ServingStatus as Health } from '../../src/gen/grpc/health/v1/health.js';
import { reasonOf } from '../helpers/grpc-calls.js';
import { healthOf } from '../helpers/health.js';
import { listedSnapshots } from '../helpers/host-store.js';
import { databaseUrl, PrivateMariadb } from '../helpers/private-mariadb.js';
import { executorPids, runPids } from '../helpers/run-processes.js';
import { expectBackup } from '../helpers/stock.js';
import { isAlive, TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';
import { startCopying } from '../helpers/watched-run.js';

let mariadb: PrivateMariadb;
let bed: TestBed;
let sshd: PrivateSshd;
let source: string;
let address: MysqlAddress;

beforeAll(async () => {
  mariadb = await PrivateMariadb.start();
  address = await mariadb.freshDatabase();
  bed = await TestBed.create();
  sshd = await bed.startSshd();
  source = join(bed.directory, 'source');
  await writeFiles(source, { kept: 1000, large: 3_000_000 });
  await bed.configure(
    [
      bed.hostAt(sshd, { name: 'web1', srcdirs: [source], bandwidth_limit: 500 }),
      bed.hostAt(sshd, { name: 'web2', srcdirs: [source] }),
      bed.hostAt(sshd, { name: 'slow', srcdirs: [source], bandwidth_limit: 150 }),
    ],
    // Longer than this it is away below: with no other daemon that must not matter.
    { database: databaseUrl(address), takeover_after: '3s' },
  );
  await bed.startDaemon();
});
afterAll(async () => {
  await bed.end();
  await mariadb.end();
});

describe('busyd with its records in MariaDB', () => {
  it('backs up, and knows it after a restart', async () => {
    const first = await expectBackup(bed, 'web2', source);
    const second = await expectBackup(bed, 'web2', source);
    expect(second.type).toBe(BackupType.INCREMENTAL);
    await bed.stopDaemon();
    await bed.startDaemon();
    expect(await listedSnapshots(bed, 'web2')).toEqual([first.snapshot, second.snapshot]);
    const after = await bed.lastRun('web2');
    expect(after).toMatchObject({ id: second.id, state: RunState.SUCCEEDED, snapshot: second.snapshot });
    // To the millisecond.
    expect(after.endedAt).toEqual(second.endedAt);
    const { stdout } = await bed.busy(['info']);
    expect(stdout).toMatch(/Database +mysql\n/);
    expect(await healthOf(bed)).toBe(Health.SERVING);
  });

  it('shows the password nowhere', async () => {
    const { password } = address;
    const settings = await bed.busyd(['check-config', bed.configFile]);
    expect(settings.stdout).toContain(`mysql://busy@127.0.0.1:${address.port}/${address.name}`);
    const info = await bed.busy(['info', '--json']);
    for (const text of [settings.stdout, info.stdout, bed.daemonLog()]) {
      expect(text).not.toContain(password);
      expect(text).not.toContain(encodeURIComponent(password));
    }
  });
});

describe('while the database is away', () => {
  beforeEach(async () => {
    mariadb.thaw();
    await mariadb.restart();
    await until(async () => (await healthOf(bed)) === Health.SERVING, 'the daemon to be well');
    await writeFiles(source, { large: 3_000_000 });
  });

  it.each<[string, () => Promise<void> | void, () => Promise<void> | void]>([
    ['stopped', () => mariadb.stop(), () => mariadb.restart()],
    ['killed', () => mariadb.kill(), () => mariadb.restart()],
    ['frozen', () => mariadb.freeze(), () => mariadb.thaw()],
  ])('backups that run go on, and are recorded once when it is back: %s', async (_, goAway, comeBack) => {
    const before = await listedSnapshots(bed, 'web1');
    const { id, ended } = await startCopying(bed, 'web1', { source, name: 'large' });
    await goAway();
    await untilAway();

    const info = await bed.busy(['info']);
    expect(info.stdout).toMatch(/Database +mysql, not available since .*: no backup begins\n/);
    const refused = await bed.busy(['backup', 'web2']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/The database mysql:\/\/busy@127\.0\.0\.1:\d+\/busy_1 is not available: /);
    expect(refused.stderr).toMatch(
      /Look after the database \(busy info shows since when\)\. Backups that run/,
    );
    const refusal: unknown = await bed.trigger('web2').catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: status.UNAVAILABLE });
    expect(reasonOf(refusal)).toBe('DATABASE_UNAVAILABLE');

    const run = await ended;
    expect(run, JSON.stringify(run.error)).toMatchObject({ state: RunState.SUCCEEDED });
    expect(await committedOnDisk()).toEqual([...before, run.snapshot]);
    expect(await healthOf(bed)).toBe(Health.NOT_SERVING);

    await comeBack();
    await until(async () => (await healthOf(bed)) === Health.SERVING, 'the daemon to be well again');
    expect(bed.daemonLog()).toContain('the database is back');
    expect(await bed.lastRun('web1')).toMatchObject({ id, state: RunState.SUCCEEDED, endedAt: run.endedAt });
    expect(await recorded(id)).toEqual([`SUCCEEDED ${run.snapshot}`]);
    expect(await recordedSnapshots()).toEqual([...before, run.snapshot]);
    expect(await count(`runs WHERE host = 'web2' AND state IN ('QUEUED', 'RUNNING')`)).toBe(0);
    expect((await expectBackup(bed, 'web2', source)).type).toBe(BackupType.INCREMENTAL);
  });

  it('a cancel works, and is recorded when it is back', async () => {
    const { id, ended } = await startCopying(bed, 'slow', { source, name: 'large' });
    await mariadb.stop();
    await untilAway();
    expect(await bed.busy(['cancel', id])).toMatchObject({ code: 0 });
    expect((await ended).state).toBe(RunState.CANCELLED);
    await mariadb.restart();
    await until(async () => (await healthOf(bed)) === Health.SERVING, 'the daemon to be well again');
    expect(await recorded(id)).toEqual(['CANCELLED NULL']);
  });

  it('a backup that ends then, and a daemon that dies then, lose nothing', async () => {
    const { id, ended } = await startCopying(bed, 'web1', { source, name: 'large' });
    await mariadb.stop();
    const { snapshot } = await ended;
    const orphans = [...(await executorPids(bed)), ...(await runPids(bed, sshd))];
    await bed.stopDaemon('SIGKILL');
    await until(() => !orphans.some(isAlive), 'the processes of the killed daemon to end');

    const { code, stderr } = await bed.busyd(['--config', bed.configFile]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^busyd: The database mysql:.* cannot be opened: .*Start the server, or correct/m);
    expect(stderr).not.toContain(address.password);

    await mariadb.restart();
    expect(await recorded(id)).toEqual(['RUNNING NULL']);
    await bed.startDaemon();
    expect(await recorded(id)).toEqual([`SUCCEEDED ${snapshot}`]);
    expect((await recordedSnapshots()).at(-1)).toBe(snapshot);
    expect(await bed.readRunLog(id)).toContain('found committed on the disk after a restart');
  });

  it('a backup that a dying daemon cuts off then is INTERRUPTED, and the next one goes on', async () => {
    const { id } = await startCopying(bed, 'slow', { source, name: 'large' });
    await mariadb.stop();
    await untilAway();
    const orphans = [...(await executorPids(bed)), ...(await runPids(bed, sshd))];
    await bed.stopDaemon('SIGKILL');
    await until(() => !orphans.some(isAlive), 'the processes of the killed daemon to end');
    await mariadb.restart();
    await bed.startDaemon();
    expect(await recorded(id)).toEqual(['INTERRUPTED NULL']);
    await expectBackup(bed, 'web1', source);
  });
});

/** By itself the daemon asks every ten seconds; a call makes it notice at once. */
async function untilAway(): Promise<void> {
  await until(isAway, 'the daemon to say that the database is away', () => bed.daemonLog());
}

async function isAway(): Promise<boolean> {
  const answer: unknown = await bed.lastRun('web2').catch((error: unknown) => error);
  if (!(answer instanceof Error)) return false;
  expect(reasonOf(answer)).toBe('DATABASE_UNAVAILABLE');
  return (await healthOf(bed)) === Health.NOT_SERVING;
}

async function committedOnDisk(): Promise<string[]> {
  return (await readdir(join(bed.backupdir, 'web1'))).filter((name) => !name.startsWith('.')).sort();
}

/** State and snapshot of a run as the database has it; as many as there are. */
function recorded(id: string): Promise<string[]> {
  return lines(`SELECT CONCAT(state, ' ', IFNULL(snapshot, 'NULL')) FROM runs WHERE id = '${id}'`);
}

function recordedSnapshots(): Promise<string[]> {
  return lines(`SELECT name FROM snapshots WHERE host = 'web1' ORDER BY name`);
}

async function count(what: string): Promise<number> {
  return Number((await lines(`SELECT COUNT(*) FROM ${what}`))[0]);
}

async function lines(query: string): Promise<string[]> {
  const answer = await mariadb.sql(`USE ${address.name}; ${query}`);
  return answer.split('\n').filter((line) => line !== '');
}
