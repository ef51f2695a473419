import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DaemonIdentity, LeaseStore } from '../../src/core/lease.js';
import type { MysqlAddress } from '../../src/core/database-address.js';
import { openDatabase, type Database } from '../../src/store/data-source.js';
import { createLeaseStore } from '../../src/store/leases.js';
import { createRunStore } from '../../src/store/runs.js';
import { PrivateMariadb } from '../helpers/private-mariadb.js';
import { lookAlikes, runId, sampleRun } from './samples.js';

const minuteMs = 60_000;

let mariadb: PrivateMariadb;
let address: MysqlAddress;
let database: Database;
let leases: LeaseStore;

beforeAll(async () => {
  mariadb = await PrivateMariadb.start();
});
afterAll(() => mariadb.end());
beforeEach(async () => {
  address = await mariadb.freshDatabase();
  database = await openDatabase(address);
  leases = createLeaseStore(database);
});
afterEach(() => database.close());

describe('a lease', () => {
  it('is begun, seen by others, renewed and given back', async () => {
    const a = await leases.begin(daemon('a'), minuteMs);
    const b = await leases.begin(daemon('b'), minuteMs);
    const seen = { hostname: 'server-a', pid: 4711, hasExpired: false };
    expect(await leases.renew(b, minuteMs)).toEqual([{ lease: a, ...seen }]);
    expect(await leases.renew(a, minuteMs)).toHaveLength(1);
    expect(await leases.end(a)).toBe(1);
    expect(await leases.renew(b, minuteMs)).toEqual([]);
    expect(await leases.renew(a, minuteMs)).toBeNull();
  });

  it('ends that of a former life, and has a number that was never given before', async () => {
    const first = await leases.begin(daemon('a'), minuteMs);
    const second = await leases.begin(daemon('a'), minuteMs);
    expect(second).toBeGreaterThan(first);
    expect(await leases.renew(first, minuteMs)).toBeNull();
    expect(await leases.renew(second, minuteMs)).toEqual([]);
    await leases.end(second);
    await mariadb.kill();
    await mariadb.restart();
    expect(await leases.begin(daemon('a'), minuteMs)).toBeGreaterThan(second);
  });

  it('is taken away only when it has expired, and by one only', async () => {
    const alive = await leases.begin(daemon('a'), minuteMs);
    expect(await leases.takeAway(alive)).toBe(false);
    await expire(alive);
    const other = await leases.begin(daemon('b'), minuteMs);
    expect(await leases.renew(other, minuteMs)).toMatchObject([{ lease: alive, hasExpired: true }]);
    const takers = await Promise.all(Array.from({ length: 10 }, () => leases.takeAway(alive)));
    expect(takers.filter(Boolean)).toHaveLength(1);
    expect(await leases.renew(alive, minuteMs)).toBeNull();
  });

  it('that has expired can be renewed as long as nobody took it away', async () => {
    const lease = await leases.begin(daemon('a'), minuteMs);
    await expire(lease);
    expect(await leases.renew(lease, minuteMs)).toEqual([]);
    expect(await leases.takeAway(lease)).toBe(false);
  });

  it('is either renewed or taken away, whoever is faster', async () => {
    for (let round = 0; round < 20; round++) {
      const lease = await leases.begin(daemon('a'), minuteMs);
      await expire(lease);
      const [renewed, taken] = await Promise.all([leases.renew(lease, minuteMs), leases.takeAway(lease)]);
      expect(renewed === null).toBe(taken);
      await leases.end(lease);
    }
  });

  it('ends by the clock of the database, whatever time zone and clock a session has', async () => {
    const lease = await leases.begin(daemon('a'), minuteMs);
    const zones = ['+00:00', '+12:00', '-12:00'];
    for (const zone of zones) {
      await mariadb.sql(`SET GLOBAL time_zone = '${zone}'`);
      const elsewhere = await openDatabase(address);
      expect(await createLeaseStore(elsewhere).takeAway(lease)).toBe(false);
      await elsewhere.close();
    }
    await mariadb.sql('SET GLOBAL time_zone = DEFAULT');
  });
});

describe('hosts', () => {
  it('are held by one, and free again when its lease is gone', async () => {
    const a = await leases.begin(daemon('a'), minuteMs);
    const b = await leases.begin(daemon('b'), minuteMs);
    expect(await leases.claim(a, ['web1', 'web2'])).toEqual(['web1', 'web2']);
    expect(await leases.claim(b, ['web1', 'web2', 'web3'])).toEqual(['web3']);
    expect(await leases.claim(a, ['web1', 'web2', 'web3'])).toEqual(['web1', 'web2']);
    expect([...(await leases.heldByOthers(b))]).toEqual([
      ['web1', { lease: a, hostname: 'server-a', pid: 4711, hasExpired: false }],
      ['web2', expect.objectContaining({ lease: a })],
    ]);
    await expire(a);
    expect(await leases.claim(b, ['web1'])).toEqual([]);
    expect(await leases.takeAway(a)).toBe(true);
    expect((await leases.heldByOthers(b)).size).toBe(0);
    expect(await leases.claim(b, ['web1', 'web2'])).toEqual(['web1', 'web2']);
  });

  it('are released', async () => {
    const a = await leases.begin(daemon('a'), minuteMs);
    const b = await leases.begin(daemon('b'), minuteMs);
    await leases.claim(a, ['web1', 'web2']);
    await leases.release(b, ['web1']);
    await leases.release(a, []);
    expect(await leases.claim(b, ['web1'])).toEqual([]);
    await leases.release(a, ['web1']);
    expect(await leases.claim(b, ['web1', 'web2'])).toEqual(['web1']);
    await leases.end(a);
    expect(await leases.claim(b, ['web2'])).toEqual(['web2']);
  });

  it('are told apart, and go to one of many who want them at once', async () => {
    const many = [...lookAlikes, ...Array.from({ length: 1200 }, (_, index) => `host-${index}`)];
    const wanting: number[] = [];
    for (let index = 0; index < 5; index++)
      wanting.push(await leases.begin(daemon(`home-${index}`), minuteMs));
    const got = await Promise.all(wanting.map((lease) => leases.claim(lease, many)));
    expect(got.flat().toSorted()).toEqual(many.toSorted());
  });
});

describe('runs', () => {
  it('are changed by their own daemon alone', async () => {
    const { lease: a, runs: runsOfA } = await member('a');
    const { runs: runsOfB } = await member('b');
    await leases.claim(a, ['web1']);
    await runsOfA.add(sampleRun(1));
    await runsOfB.add(sampleRun(2, { host: 'web2' }));
    expect(await runsOfB.move(runId(1), ['QUEUED'], 'CANCELLED', 9, {})).toBe(false);
    expect(await runsOfA.move(runId(1), ['QUEUED'], 'RUNNING', 9, {})).toBe(true);
    expect(await runsOfB.list({ isOurs: true })).toStrictEqual([sampleRun(2, { host: 'web2' })]);
    expect(await runsOfB.list({})).toHaveLength(2);
  });

  it('begin only while their daemon holds the host', async () => {
    const { lease: a, runs } = await member('a');
    await runs.add(sampleRun(1));
    expect(await runs.move(runId(1), ['QUEUED'], 'RUNNING', 2, {})).toBe(false);
    await leases.claim(a, ['web1']);
    await expire(a);
    await leases.takeAway(a);
    expect(await runs.move(runId(1), ['QUEUED'], 'RUNNING', 2, {})).toBe(false);
    expect(await runs.get(runId(1))).toStrictEqual(sampleRun(1));
  });

  it('that are left are adopted by one, and lost to who had them', async () => {
    const { lease: a, runs: runsOfA } = await member('a');
    const { lease: b, runs: runsOfB } = await member('b');
    await runsOfA.add(sampleRun(1, { state: 'RUNNING' }));
    await runsOfA.add(sampleRun(2, { host: 'web2' }));
    await runsOfA.add(sampleRun(3, { host: 'web3', state: 'SUCCEEDED' }));
    // From before the database was shared.
    await createRunStore(database).add(sampleRun(4, { host: 'web4', state: 'CANCELLING' }));
    expect(await leases.leftRuns()).toEqual([{ id: runId(4), host: 'web4' }]);
    expect(await leases.adopt(b, runId(1))).toBe(false);
    await leases.end(a);
    expect((await leases.leftRuns()).map(({ id }) => id)).toEqual([runId(1), runId(2), runId(4)]);
    const c = await leases.begin(daemon('c'), minuteMs);
    const both = await Promise.all([leases.adopt(b, runId(1)), leases.adopt(c, runId(1))]);
    expect(both.filter(Boolean)).toHaveLength(1);
    expect(await leases.adopt(b, runId(3))).toBe(false);
    expect(await leases.adopt(b, runId(4))).toBe(true);
    expect(await runsOfA.move(runId(1), ['RUNNING'], 'SUCCEEDED', 9, {})).toBe(false);
    expect(await runsOfB.move(runId(4), ['CANCELLING'], 'INTERRUPTED', 9, {})).toBe(true);
  });
});

describe('a database', () => {
  it('has an id that all who use it find, and another one not', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => leases.databaseId()));
    expect(new Set(ids).size).toBe(1);
    const other = await openDatabase(await mariadb.freshDatabase());
    expect(await createLeaseStore(other).databaseId()).not.toBe(ids[0]);
    await other.close();
  });

  it('is set up once by daemons that start at the same time', async () => {
    const fresh = await mariadb.freshDatabase();
    const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase(fresh)));
    for (const one of opened) await createRunStore(one).list({});
    await Promise.all(opened.map((one) => one.close()));
  });
});

function daemon(home: string): DaemonIdentity {
  return { home, hostname: `server-${home}`, pid: 4711, startedAt: new Date(1_795_000_000_123) };
}

async function member(home: string): Promise<{ lease: number; runs: ReturnType<typeof createRunStore> }> {
  const lease = await leases.begin(daemon(home), minuteMs);
  return { lease, runs: createRunStore(database, () => lease) };
}

/** As if the time of the lease had come. */
async function expire(lease: number): Promise<void> {
  await mariadb.sql(
    `UPDATE ${address.name}.daemon_leases SET ends_at = ends_at - 100000000 WHERE lease = ${lease}`,
  );
}
