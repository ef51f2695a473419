/** Tokens in memory, for what stands above the database. */
import { Tokens } from '../../src/control/tokens.js';
import type { TokenRecord, TokenStore } from '../../src/core/access-token.js';
import { BusyError } from '../../src/core/errors.js';
import { tokenSecrets } from '../../src/store/token-secrets.js';

export class TokenMemory implements TokenStore {
  readonly records: TokenRecord[] = [];
  readCount = 0;
  isAway = false;
  now = new Date(1_795_000_000_000);
  /** Milliseconds. */
  elapsed = 0;

  readonly tokens = new Tokens({
    store: this,
    secrets: tokenSecrets,
    clock: { now: () => this.now },
    stopwatch: () => this.elapsed,
  });

  async add(token: TokenRecord): Promise<void> {
    this.records.push(token);
  }

  async list(): Promise<TokenRecord[]> {
    this.readCount += 1;
    if (this.isAway) throw new BusyError('DATABASE_UNAVAILABLE', { database: 'x', detail: 'gone' });
    return [...this.records];
  }

  async remove(id: string): Promise<boolean> {
    const place = this.records.findIndex((record) => record.id === id);
    return place >= 0 && this.records.splice(place, 1).length === 1;
  }

  onlyRecord(): TokenRecord {
    const [record] = this.records;
    if (!record || this.records.length > 1) throw new Error(`there are ${this.records.length} tokens`);
    return record;
  }

  /** Makes a token and answers its text. */
  async make(
    changes: Partial<Pick<TokenRecord, 'name' | 'role' | 'hosts' | 'expiresAt'>> = {},
  ): Promise<string> {
    const wanted = { name: 'alice', role: 'viewer', hosts: null, expiresAt: null, ...changes } as const;
    return (await this.tokens.create({ ...wanted, createdBy: 'test' })).token;
  }
}
