import { describe, expect, it } from 'vitest';
import { leaseTimes, mayClaim, mayGoOnMs, mayTakeOver, type OwnLease } from '../../src/core/lease.js';

const times = leaseTimes(60_000);

function own(changes: Partial<OwnLease> = {}): OwnLease {
  return { sinceRenewedMs: 0, inTouchMs: 3_600_000, othersKnown: 1, ...changes };
}

it('leaves half of the time to runs that must end', () => {
  expect(times).toEqual({ renewEveryMs: 5000, trustMs: 30_000, lengthMs: 60_000 });
});

describe('runs may go on', () => {
  it.each([
    ['just renewed', own(), 30_000],
    ['not renewed for a while', own({ sinceRenewedMs: 10_000 }), 20_000],
    ['not renewed for half of the time', own({ sinceRenewedMs: 30_000 }), 0],
    ['not renewed for very long', own({ sinceRenewedMs: 1e9 }), 0],
    ['never renewed', own({ sinceRenewedMs: Infinity }), 0],
    ['with nobody to take over', own({ sinceRenewedMs: 1e9, othersKnown: 0 }), 30_000],
  ])('%s', (_, lease, ms) => {
    expect(mayGoOnMs(lease, times)).toBe(ms);
  });

  it('ends long before anyone may take over, however late the renewal was answered', () => {
    for (let sinceRenewedMs = 0; sinceRenewedMs <= times.lengthMs; sinceRenewedMs += 1000) {
      // The lease in the database began at the earliest when the renewal was sent.
      const leftInDatabaseMs = times.lengthMs - sinceRenewedMs;
      const goOnMs = mayGoOnMs(own({ sinceRenewedMs }), times);
      if (goOnMs > 0) expect(leftInDatabaseMs - goOnMs).toBe(times.lengthMs - times.trustMs);
    }
  });
});

describe('a takeover', () => {
  it.each([
    ['has not expired', false, own(), false, 'its lease has not ended'],
    ['has expired', true, own(), true, 'it was not heard of for 60 s'],
    [
      'has expired, for one that is out of touch itself',
      true,
      own({ sinceRenewedMs: 30_001 }),
      false,
      'this daemon is out of touch with the database itself',
    ],
    [
      'has expired, for one that has just come',
      true,
      own({ inTouchMs: 500 }),
      false,
      'it has another 60 s to renew, as long as this daemon is in touch with the database',
    ],
    [
      'has expired, after an outage for all',
      true,
      own({ inTouchMs: 59_000 }),
      false,
      'it has another 1 s to renew, as long as this daemon is in touch with the database',
    ],
    [
      'has expired, and had its time after an outage',
      true,
      own({ inTouchMs: 60_000 }),
      true,
      'it was not heard of for 60 s',
    ],
  ])('of one that %s', (_, hasExpired, lease, isYes, reason) => {
    expect(mayTakeOver({ hasExpired }, lease, times)).toEqual({ isYes, reason });
  });
});

describe('a host that nobody has', () => {
  const reachable = { isReachable: true, freeForMs: 0 };
  const unreachable = { isReachable: false, freeForMs: 59_999 };
  it.each([
    ['is taken', reachable, own(), true, 'nobody has it'],
    [
      'is not taken by one that may be taken over',
      reachable,
      own({ sinceRenewedMs: 30_000 }),
      false,
      'this daemon is out of touch with the database',
    ],
    [
      'is left to others that may reach its disk',
      unreachable,
      own(),
      false,
      'its backup directory is not there, and another daemon may reach it',
    ],
    [
      'is taken without its disk when there is no other',
      unreachable,
      own({ othersKnown: 0 }),
      true,
      'there is no other daemon',
    ],
    [
      'is taken without its disk when no other takes it',
      { ...unreachable, freeForMs: 60_000 },
      own(),
      true,
      'nobody has it, and nobody else takes it',
    ],
  ])('%s', (_, host, lease, isYes, reason) => {
    expect(mayClaim(host, lease, times)).toEqual({ isYes, reason });
  });
});
