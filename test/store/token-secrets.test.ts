import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { formatToken, parseToken } from '../../src/core/access-token.js';
import { tokenSecrets } from '../../src/store/token-secrets.js';

it('makes tokens of 256 random bits that are read back, and keeps their SHA-256', () => {
  const { token, hash } = tokenSecrets.make();
  const secret = Buffer.from(token.secret, 'base64url');
  expect(secret).toHaveLength(32);
  expect(hash).toBe(createHash('sha256').update(secret).digest('hex'));
  expect(parseToken(formatToken(token))).toEqual(token);
  expect(tokenSecrets.make().token).not.toEqual(token);
});

it('takes the secret of its hash and no other', () => {
  const [one, other] = [tokenSecrets.make(), tokenSecrets.make()];
  expect(tokenSecrets.matches(one.token.secret, one.hash)).toBe(true);
  expect(tokenSecrets.matches(other.token.secret, one.hash)).toBe(false);
  expect(tokenSecrets.matches(one.token.secret, '')).toBe(false);
  expect(tokenSecrets.matches('', one.hash)).toBe(false);
});

it.each(['', 'busy_', 'busy_abcdefghijkl_short', `x${formatToken(tokenSecrets.make().token)}`, 'Bearer x'])(
  'takes %j for no token',
  (text) => expect(parseToken(text)).toBeNull(),
);
