import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HostClaims } from '../../src/control/host-claims.js';
import { leaseTimes, type LeaseStore, type OtherDaemon, type OwnLease } from '../../src/core/lease.js';
import type { MysqlAddress } from '../../src/core/database-address.js';
import { openDatabase, type Database } from '../../src/store/data-source.js';
import { createLeaseStore } from '../../src/store/leases.js';
import { PrivateMariadb } from '../helpers/private-mariadb.js';
import { sampleHost } from '../helpers/sample-host.js';

const minuteMs = 60_000;

let mariadb: PrivateMariadb;
let address: MysqlAddress;
let database: Database;
let store: LeaseStore;

beforeAll(async () => {
  mariadb = await PrivateMariadb.start();
});
afterAll(() => mariadb.end());
beforeEach(async () => {
  address = await mariadb.freshDatabase();
  database = await openDatabase(address);
  store = createLeaseStore(database);
});
afterEach(() => database.close());

/** A daemon as far as its claims go; what it knows of its lease is up to the test. */
class Member {
  own: OwnLease = { sinceRenewedMs: 0, inTouchMs: 3_600_000, othersKnown: 0 };
  others: readonly OtherDaemon[] = [];
  hosts = ['web1', 'web2'];
  busy = new Set<string>();
  isDiskThere = true;
  nowMs = 0;
  current = 0;
  readonly learnt: string[] = [];
  readonly log: string[] = [];
  readonly claims: HostClaims;

  private constructor(readonly name: string) {
    const log = (message: string): void => void this.log.push(message);
    this.claims = new HostClaims({
      store,
      lease: this.lease(),
      hosts: () => this.hosts.map((host) => sampleHost({ name: host })),
      isBusy: (host) => this.busy.has(host),
      canReach: () => Promise.resolve(this.isDiskThere),
      stopwatch: () => this.nowMs,
      log: { info: log, warn: log, error: log },
    });
    this.claims.learnWith((hosts) => {
      expect(hosts.some((host) => this.claims.isOurs(host))).toBe(false);
      this.learnt.push(...hosts);
      return Promise.resolve();
    });
  }

  static async join(name: string): Promise<Member> {
    const member = new Member(name);
    await member.begin();
    return member;
  }

  async begin(): Promise<void> {
    const identity = { home: this.name, hostname: this.name, pid: 4711, startedAt: new Date(0) };
    this.current = await store.begin(identity, minuteMs);
  }

  /** As at a renewal. */
  async look(): Promise<boolean> {
    this.others = (await store.renew(this.current, minuteMs)) ?? [];
    this.own = { ...this.own, othersKnown: this.others.length };
    return this.claims.look();
  }

  held(): string[] {
    return ['web1', 'web2', 'web3'].filter((host) => this.claims.isOurs(host));
  }

  async expire(): Promise<void> {
    await mariadb.sql(`UPDATE ${address.name}.daemon_leases SET ends_at = 1 WHERE lease = ${this.current}`);
  }

  private lease(): ConstructorParameters<typeof HostClaims>[0]['lease'] {
    const current = (): number => this.current;
    const others = (): readonly OtherDaemon[] => this.others;
    return {
      get current() {
        return current();
      },
      get others() {
        return others();
      },
      own: () => this.own,
      times: leaseTimes(minuteMs),
    };
  }
}

describe('hosts', () => {
  it('are taken by the first, learnt of before, and seen by the second', async () => {
    const a = await Member.join('a');
    const b = await Member.join('b');
    expect(await a.look()).toBe(true);
    expect(await a.look()).toBe(false);
    expect(await b.look()).toBe(false);
    expect([a.held(), b.held(), a.learnt]).toEqual([['web1', 'web2'], [], ['web1', 'web2']]);
    expect([a.claims.isPostman(), b.claims.isPostman()]).toEqual([true, false]);
    expect(b.claims.holderOf('web1')).toMatchObject({ hostname: 'a' });
    await expect(a.claims.require('web1')).resolves.toBeUndefined();
    await expect(b.claims.require('web1')).rejects.toMatchObject({
      reason: 'HOST_ELSEWHERE',
      facts: { host: 'web1', machine: 'a', pid: '4711' },
    });
    expect(b.claims.countOf(b.others[0] as OtherDaemon)).toBe(2);
  });

  it('of a daemon that died are taken over by one of the others', async () => {
    const [a, b, c] = [await Member.join('a'), await Member.join('b'), await Member.join('c')];
    await a.look();
    await a.expire();
    await Promise.all([b.look(), c.look()]);
    await Promise.all([b.look(), c.look()]);
    expect([...b.held(), ...c.held()].toSorted()).toEqual(['web1', 'web2']);
    expect([b.claims.isPostman(), c.claims.isPostman()].filter(Boolean)).toHaveLength(1);
    expect([...b.log, ...c.log]).toEqual(['another daemon has died, its hosts are taken over']);
  });

  it('are left to a daemon that may only have been cut off together with this one', async () => {
    const [a, b] = [await Member.join('a'), await Member.join('b')];
    await a.look();
    await a.expire();
    b.own = { ...b.own, inTouchMs: 1000 };
    await b.look();
    expect(b.held()).toEqual([]);
    await a.look();
    b.own = { ...b.own, inTouchMs: minuteMs };
    await b.look();
    expect([a.held(), b.held()]).toEqual([['web1', 'web2'], []]);
  });

  it('are nobody else’s while the lease is not trusted, and not used', async () => {
    const [a, b] = [await Member.join('a'), await Member.join('b')];
    await a.look();
    await b.look();
    a.own = { sinceRenewedMs: 40_000, inTouchMs: minuteMs, othersKnown: 1 };
    expect(a.held()).toEqual([]);
    await expect(a.claims.require('web1')).rejects.toMatchObject({ reason: 'HOST_NOT_HELD' });
    await b.look();
    expect(b.held()).toEqual([]);
  });

  it('come when they are configured, and go when they are not, but not in mid-run', async () => {
    const a = await Member.join('a');
    const b = await Member.join('b');
    b.hosts = ['web3'];
    await a.look();
    a.hosts = ['web1', 'web3'];
    a.busy.add('web2');
    await a.look();
    expect(a.held()).toEqual(['web1', 'web2', 'web3']);
    a.busy.clear();
    a.hosts = ['web1'];
    await a.look();
    expect(a.held()).toEqual(['web1']);
    await b.look();
    expect(b.held()).toEqual(['web3']);
  });

  it('are taken at once when someone asks for them', async () => {
    const a = await Member.join('a');
    await a.look();
    a.hosts.push('web3');
    await a.claims.require('web3');
    expect(a.held()).toEqual(['web1', 'web2', 'web3']);
  });

  it('whose disk is not there are left to others, until nobody takes them', async () => {
    const [a, b] = [await Member.join('a'), await Member.join('b')];
    a.isDiskThere = false;
    b.isDiskThere = false;
    await a.look();
    expect(a.held()).toEqual([]);
    a.nowMs = minuteMs - 1;
    await a.look();
    expect(a.held()).toEqual([]);
    b.isDiskThere = true;
    b.hosts = ['web2'];
    await b.look();
    a.nowMs = minuteMs;
    await a.look();
    expect([a.held(), b.held()]).toEqual([['web1'], ['web2']]);
  });

  it('that nothing could be learnt of are not held, and tried again', async () => {
    const a = await Member.join('a');
    a.claims.learnWith(() => Promise.reject(new Error('the database went away')));
    await expect(a.look()).rejects.toThrow('went away');
    expect(a.held()).toEqual([]);
    a.claims.learnWith(() => Promise.resolve());
    expect(await a.look()).toBe(true);
    expect(a.held()).toEqual(['web1', 'web2']);
  });

  it('claimed with a lease that was lost meanwhile are not held', async () => {
    const a = await Member.join('a');
    a.claims.learnWith(() => a.begin());
    expect(await a.look()).toBe(false);
    expect(a.held()).toEqual([]);
  });
});
