import { describe, expect, it } from 'vitest';
import { FailedLogins, networkOf } from '../../src/core/failed-logins.js';

const at = (seconds: number): Date => new Date(1_795_000_000_000 + seconds * 1000);

describe('whoever shows wrong tokens', () => {
  it('waits twice as long each time, up to a limit', () => {
    const failed = new FailedLogins();
    const delays = Array.from({ length: 40 }, (_, index) => failed.note('192.0.2.1', at(index)).delayMs);
    expect(delays.slice(0, 7)).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000]);
    expect(delays.at(-1)).toBe(8000);
  });

  it('starts anew after ten quiet minutes, and not before', () => {
    const failed = new FailedLogins();
    failed.note('192.0.2.1', at(0));
    expect(failed.note('192.0.2.1', at(599)).count).toBe(2);
    expect(failed.note('192.0.2.1', at(599 + 600)).count).toBe(1);
  });

  it('does not make others wait', () => {
    const failed = new FailedLogins();
    for (let index = 0; index < 9; index++) failed.note('192.0.2.1', at(0));
    expect(failed.note('192.0.2.2', at(0)).delayMs).toBe(250);
  });

  it('cannot fill the memory with addresses', () => {
    const failed = new FailedLogins();
    for (let index = 0; index < 5000; index++) failed.note(`10.0.${index >> 8}.${index & 255}`, at(0));
    expect(failed.size).toBe(1000);
    expect(failed.note('10.0.19.135', at(0)).count).toBe(2);
    expect(failed.note('10.0.0.1', at(0)).count).toBe(1);
  });
});

describe('the network of an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::1', '0:0:0:0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['', ''],
  ])('of %s is %s', (address, network) => expect(networkOf(address)).toBe(network));
});
