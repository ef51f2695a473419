import { describe, expect, it } from 'vitest';
import { LoginAttempts } from '../../../clients/web/gateway/login-attempts.js';

function open() {
  let nowMs = 0;
  const attempts = new LoginAttempts(() => nowMs);
  const fail = (times: number): void => {
    for (let time = 0; time < times; time++) attempts.failed('192.0.2.1');
  };
  return { attempts, fail, pass: (ms: number) => (nowMs += ms) };
}

describe('wrong tokens', () => {
  it('are free three times, then each doubles the wait, up to a minute', () => {
    const { attempts, fail } = open();
    const waits = [3, 1, 1, 1, 10].map((times) => {
      fail(times);
      return attempts.waitMs('192.0.2.1');
    });
    expect(waits).toEqual([0, 1000, 2000, 4000, 60_000]);
  });

  it('are forgotten after ten minutes, so that nobody is shut out for good', () => {
    const { attempts, fail, pass } = open();
    fail(10);
    pass(10 * 60_000);
    fail(1);
    expect(attempts.waitMs('192.0.2.1')).toBe(0);
  });

  it('are asked about eight at a time', () => {
    const { attempts } = open();
    expect(Array.from({ length: 9 }, () => attempts.begin())).toEqual([...Array(8).fill(true), false]);
    attempts.end();
    expect(attempts.begin()).toBe(true);
  });

  it('of IPv6 count for a network, which is what one user has', () => {
    const { attempts } = open();
    for (const end of ['1', '2', 'ffff:3', '4']) attempts.failed(`2001:db8:0:7::${end}`);
    expect(attempts.waitMs('2001:db8:0:7:1:2:3:4')).toBe(1000);
    expect(attempts.waitMs('2001:db8:0:8::1')).toBe(0);
    expect(attempts.waitMs('::ffff:192.0.2.1')).toBe(0);
  });

  it('hold up nobody at another address, and end with time or with a right one', () => {
    const { attempts, fail, pass } = open();
    fail(5);
    expect(attempts.waitMs('192.0.2.2')).toBe(0);
    pass(1999);
    expect(attempts.waitMs('192.0.2.1')).toBe(1);
    pass(1);
    expect(attempts.waitMs('192.0.2.1')).toBe(0);
    fail(1);
    attempts.succeeded('192.0.2.1');
    expect(attempts.waitMs('192.0.2.1')).toBe(0);
  });
});
