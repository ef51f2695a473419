/**
 * Tokens: `busy_ID_SECRET`. The id finds the one record, whose hash the secret is then compared with; the secret
 * itself is kept nowhere and shown once.
 */
import type { Role } from './caller.js';

export interface TokenRecord {
  readonly id: string;
  /** Unique, chosen by whoever made it. */
  readonly name: string;
  readonly role: Role;
  /** The only hosts it is good for; null: all. */
  readonly hosts: readonly string[] | null;
  /** SHA-256 of the secret, in hexadecimal digits. */
  readonly hash: string;
  /** The name of the caller who made it. */
  readonly createdBy: string;
  readonly createdAt: Date;
  /** From then on it counts no more; null: never. */
  readonly expiresAt: Date | null;
}

/** As a caller shows it. */
export interface ShownToken {
  readonly id: string;
  readonly secret: string;
}

export interface TokenStore {
  /** Adds a token. Throws when the name or the id exists. */
  add(token: TokenRecord): Promise<void>;
  /** All of them, by name. */
  list(): Promise<TokenRecord[]>;
  /** Answers whether it was there. */
  remove(id: string): Promise<boolean>;
}

/** What needs true randomness and a hash function. */
export interface TokenSecrets {
  /** A new id and a secret of 256 random bits, with its hash. */
  make(): { readonly token: ShownToken; readonly hash: string };
  /** Compares in a time that does not depend on where they differ. */
  matches(secret: string, hash: string): boolean;
}

/** As many as one daemon keeps in memory. */
export const mostTokens = 1000;

const pattern = /^busy_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$/;

export function formatToken({ id, secret }: ShownToken): string {
  return `busy_${id}_${secret}`;
}

/** Null for what cannot be a token. */
export function parseToken(text: string): ShownToken | null {
  const [, id, secret] = pattern.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { id, secret };
}

export function hasExpired({ expiresAt }: Pick<TokenRecord, 'expiresAt'>, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now;
}
