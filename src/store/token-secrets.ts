/** Makes the secrets of tokens, and compares them with what is kept of them. */
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { TokenSecrets } from '../core/access-token.js';

/**
 * The port TokenSecrets. A plain hash is enough where the secret is 256 random bits: there is nothing to guess that a
 * slow one would make dearer.
 */
export const tokenSecrets: TokenSecrets = {
  make: () => {
    const secret = randomBytes(32).toString('base64url');
    return { token: { id: randomId(), secret }, hash: hashOf(secret).toString('hex') };
  },
  matches: (secret, hash) => {
    const expected = Buffer.from(hash, 'hex');
    const shown = hashOf(secret);
    return expected.length === shown.length && timingSafeEqual(expected, shown);
  },
};

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(Buffer.from(secret, 'base64url')).digest();
}

const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

function randomId(): string {
  return Array.from({ length: 12 }, () => letters[randomInt(letters.length)]).join('');
}
