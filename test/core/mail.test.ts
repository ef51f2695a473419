import { expect, it } from 'vitest';
import { isMailAddress } from '../../src/core/mail-address.js';
import { isGivenUp, retryDelayMs } from '../../src/core/mail.js';

it('waits longer after each failed attempt, from a minute to an hour', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 200].map((attempts) => retryDelayMs(attempts) / 60_000)).toEqual([
    1, 2, 4, 8, 16, 32, 60, 60, 60,
  ]);
});

it('gives a mail up after seven days', () => {
  const createdAt = new Date('2026-11-01T00:00:00Z');
  const mail = { id: '', recipient: 'root', subject: '', text: '', createdAt };
  expect(isGivenUp(mail, new Date('2026-11-07T23:59:59Z'))).toBe(false);
  expect(isGivenUp(mail, new Date('2026-11-08T00:00:00Z'))).toBe(true);
});

it.each(['root', 'admin@example.org', "o'neil+busy@sub.example.org", 'a-b_c'])('takes %s', (address) => {
  expect(isMailAddress(address)).toBe(true);
});

it.each(['', '-oQ/tmp/x', 'a b', 'a@b\nBcc: c@d', 'a,b', '<a@b>', 'a@b@c', '"a"@b', 'a@', 'a'.repeat(255)])(
  'refuses %j',
  (address) => {
    expect(isMailAddress(address)).toBe(false);
  },
);
