/**
 * The tokens of callers: makes, lists and revokes them, and says whose a shown one is. All are held in memory and read
 * anew when they are a little old, so that strangers cannot make the database work, and so that those who have a token
 * are let in while the database is away.
 */
import {
  formatToken,
  hasExpired,
  mostTokens,
  parseToken,
  type TokenRecord,
  type TokenSecrets,
  type TokenStore,
} from '../core/access-token.js';
import { type Caller, type Role, roles } from '../core/caller.js';
import { BusyError, isDatabaseAway } from '../core/errors.js';
import type { Clock } from '../core/ports.js';

/** Another daemon on the same database may have revoked one: then it counts no longer than this, in milliseconds. */
const freshForMs = 5000;
/** Another daemon may just have made it; so a token that is not known is looked for once more. */
const freshEnoughForUnknownMs = 1000;

export interface TokensParts {
  readonly store: TokenStore;
  readonly secrets: TokenSecrets;
  readonly clock: Clock;
  /** Milliseconds that never go back. */
  readonly stopwatch: () => number;
}

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  /** Null: all. */
  readonly hosts: readonly string[] | null;
  readonly expiresAt: Date | null;
  readonly createdBy: string;
}

export class Tokens {
  readonly #parts: TokensParts;
  #known: ReadonlyMap<string, TokenRecord> | null = null;
  #readAt = 0;
  #reading: Promise<void> | null = null;

  constructor(parts: TokensParts) {
    this.#parts = parts;
  }

  /**
   * Makes a token and answers it, for the only time. Throws TOKEN_EXISTS when the name is taken, TOO_MANY_TOKENS, or
   * DATABASE_UNAVAILABLE.
   */
  async create(wanted: NewToken): Promise<{ record: TokenRecord; token: string }> {
    const existing = await this.list();
    if (existing.some(({ name }) => name === wanted.name))
      throw new BusyError('TOKEN_EXISTS', { name: wanted.name });
    if (existing.length >= mostTokens)
      throw new BusyError('TOO_MANY_TOKENS', { count: String(existing.length) });
    const { token, hash } = this.#parts.secrets.make();
    const record = { ...wanted, id: token.id, hash, createdAt: this.#parts.clock.now() };
    await this.#parts.store.add(record);
    await this.refresh();
    return { record, token: formatToken(token) };
  }

  /** By name, also those that have expired. Throws DATABASE_UNAVAILABLE. */
  list(): Promise<TokenRecord[]> {
    return this.#parts.store.list();
  }

  /** Ends a token, by its name or its id, and answers it. Throws TOKEN_NOT_FOUND or DATABASE_UNAVAILABLE. */
  async revoke(nameOrId: string): Promise<TokenRecord> {
    const all = await this.list();
    const found = all.find(({ name }) => name === nameOrId) ?? all.find(({ id }) => id === nameOrId);
    if (!found || !(await this.#parts.store.remove(found.id)))
      throw new BusyError('TOKEN_NOT_FOUND', { token: nameOrId });
    await this.refresh();
    return found;
  }

  /** Whose token this text is. Throws TOKEN_REFUSED, TOKEN_EXPIRED, or DATABASE_UNAVAILABLE. */
  async find(text: string): Promise<TokenRecord> {
    const shown = parseToken(text);
    if (!shown) throw new BusyError('TOKEN_REFUSED');
    await this.#readWhenOlderThan(freshForMs);
    if (this.#known?.has(shown.id) !== true) await this.#readWhenOlderThan(freshEnoughForUnknownMs);
    const record = this.#known?.get(shown.id);
    if (!record || !this.#parts.secrets.matches(shown.secret, record.hash))
      throw new BusyError('TOKEN_REFUSED');
    this.#refuseExpired(record);
    return record;
  }

  /** Throws TOKEN_REFUSED or TOKEN_EXPIRED when a token that was good is so no more; as of the last reading. */
  confirm(id: string): void {
    const record = this.#known?.get(id);
    if (!record) throw new BusyError('TOKEN_REFUSED');
    this.#refuseExpired(record);
  }

  /** Reads all tokens. While the database is away those that are known go on to count. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    return this.#reading;
  }

  async #read(): Promise<void> {
    try {
      const all = await this.#parts.store.list();
      this.#known = new Map(all.filter(isSound).map((record) => [record.id, record]));
    } catch (error) {
      if (this.#known === null || !isDatabaseAway(error)) throw error;
    }
    this.#readAt = this.#parts.stopwatch();
  }

  async #readWhenOlderThan(ms: number): Promise<void> {
    if (this.#known === null || this.#parts.stopwatch() - this.#readAt >= ms) await this.refresh();
  }

  #refuseExpired(record: TokenRecord): void {
    if (record.expiresAt === null || !hasExpired(record, this.#parts.clock.now())) return;
    throw new BusyError('TOKEN_EXPIRED', { name: record.name, expiredAt: record.expiresAt.toISOString() });
  }
}

/** A role that this version does not know must not become a larger one. */
function isSound({ role }: TokenRecord): boolean {
  return roles.includes(role);
}

/** The caller that a token stands for. */
export function toCaller({ id, name, role, hosts }: TokenRecord, address: string): Caller {
  return { name, role, hosts: hosts && new Set(hosts), proof: { kind: 'token', id }, address };
}
