import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DaemonLease } from '../../src/control/daemon-lease.js';
import { BusyError } from '../../src/core/errors.js';
import type { OtherDaemon } from '../../src/core/lease.js';

const takeoverAfterMs = 60_000;
const other: OtherDaemon = { lease: 90, hostname: 'backup2', pid: 1, hasExpired: false };
const away = new BusyError('DATABASE_UNAVAILABLE', { database: 'db', detail: 'gone' });

let lease: DaemonLease;
let nowMs: number;
let begun: number;
/** What the next renewals answer. */
let answer: () => Promise<readonly OtherDaemon[] | null>;
let told: string[];
let logged: string[];
let isEndHeard: boolean;

beforeEach(async () => {
  vi.useFakeTimers();
  [nowMs, begun, told, logged] = [1_000_000, 0, [], []];
  answer = () => Promise.resolve([other]);
  isEndHeard = true;
  const log = (message: string): void => void logged.push(message);
  lease = new DaemonLease({
    store: {
      begin: () => Promise.resolve(++begun),
      renew: () => answer(),
      end: () => {
        told.push('ended');
        return isEndHeard ? Promise.resolve(2) : Promise.reject(away);
      },
    },
    identity: { home: 'home', hostname: 'backup1', pid: 2, startedAt: new Date(nowMs) },
    takeoverAfterMs,
    stopwatch: () => nowMs,
    log: { info: log, warn: log, error: log },
  });
  await lease.begin();
  lease.keep({
    onRenewed: () => {
      told.push('renewed');
      return Promise.resolve();
    },
    onMayGoOn: (ms) => void told.push(`may go on for ${ms}`),
    onMustStop: () => void told.push('must stop'),
    onLost: () => void told.push('lost'),
  });
  await pass(0);
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets time pass, for the timers and the stopwatch alike. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    nowMs += Math.min(left, 1000);
    await vi.advanceTimersByTimeAsync(Math.min(left, 1000));
  }
  await vi.advanceTimersByTimeAsync(0);
}

it('is renewed all the time, and lets runs go on', async () => {
  told = [];
  await pass(10_000);
  expect(told.filter((what) => what === 'renewed')).toHaveLength(2);
  expect(told).toContain('may go on for 30000');
  expect(told).not.toContain('must stop');
  expect(lease.others).toEqual([other]);
});

it('stops runs in time when it cannot be renewed, and goes on when it can', async () => {
  answer = () => Promise.reject(away);
  told = [];
  await pass(20_000);
  expect(told).not.toContain('must stop');
  await pass(10_000);
  expect(told.at(-1)).toBe('must stop');
  expect(lease.own().sinceRenewedMs).toBeLessThanOrEqual(30_000);
  answer = () => Promise.resolve([other]);
  await pass(10_000);
  expect(told.slice(-2)).toEqual(['may go on for 30000', 'renewed']);
  expect(lease.own().inTouchMs).toBeLessThan(takeoverAfterMs);
  expect(begun).toBe(1);
  expect(logged).toEqual([]);
});

it('stops nothing when there is nobody who could take over', async () => {
  answer = () => Promise.resolve([]);
  await pass(5000);
  answer = () => Promise.reject(away);
  told = [];
  await pass(3_600_000);
  expect(new Set(told)).toEqual(new Set(['may go on for 30000']));
});

it('stops runs also while a renewal hangs', async () => {
  answer = () => new Promise(() => {});
  told = [];
  await pass(60_000);
  expect(told.at(-1)).toBe('must stop');
});

it('that was slow to be renewed counts from when that was asked for', async () => {
  const waiting: ((others: readonly OtherDaemon[]) => void)[] = [];
  answer = () => new Promise((resolve) => void waiting.push(resolve));
  await pass(5000);
  const askedAtMs = nowMs;
  await pass(9000);
  expect(waiting).toHaveLength(1);
  waiting[0]?.([other]);
  await pass(0);
  expect(lease.own().sinceRenewedMs).toBe(nowMs - askedAtMs);
});

it('of a process that was frozen is known to be over before anything else is done', async () => {
  // Time goes by, and no timer fires.
  nowMs += 40_000;
  told = [];
  await vi.advanceTimersByTimeAsync(5000);
  expect(told[0]).toBe('must stop');
});

it('that was taken away is told, and begun anew with another number', async () => {
  const first = lease.current;
  let isTold = false;
  answer = () => {
    if (isTold) return Promise.resolve([other]);
    isTold = true;
    return Promise.resolve(null);
  };
  told = [];
  await pass(5000);
  expect(told).toEqual(expect.arrayContaining(['lost', 'renewed']));
  expect(told.indexOf('lost')).toBeLessThan(told.indexOf('renewed'));
  expect(lease.current).not.toBe(first);
  expect(lease.own().inTouchMs).toBeLessThan(takeoverAfterMs);
  expect(logged).toEqual([expect.stringMatching(/another daemon has taken over the hosts of this one/)]);
});

it('is given back at the end, also when that fails', async () => {
  expect(await lease.end()).toBe(2);
  isEndHeard = false;
  expect(await lease.end()).toBeNull();
  expect(logged).toEqual([expect.stringMatching(/could not be given back/)]);
  expect(told.at(-1)).toBe('ended');
  const renewals = told.length;
  await pass(60_000);
  expect(told).toHaveLength(renewals);
});
