/** What every TokenStore must do, whatever database is behind it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TokenRecord, TokenStore } from '../../src/core/access-token.js';

export interface OpenTokenStore {
  readonly tokens: TokenStore;
  close(): Promise<void>;
}

export function tokenStoreContract(open: () => Promise<OpenTokenStore>): void {
  let opened: OpenTokenStore;
  let tokens: TokenStore;
  beforeEach(async () => {
    opened = await open();
    tokens = opened.tokens;
  });
  afterEach(() => opened.close());

  it('answers what was added, every field, by name', async () => {
    const limited = sample({
      id: 'bbbbbbbbbbbb',
      name: 'alice',
      hosts: ['web1', 'db1'],
      expiresAt: new Date(1_795_100_000_001),
    });
    await tokens.add(sample());
    await tokens.add(limited);
    expect(await tokens.list()).toStrictEqual([limited, sample()]);
  });

  it('takes neither a name nor an id twice, and tells names that differ in case', async () => {
    await tokens.add(sample());
    await expect(tokens.add(sample({ id: 'cccccccccccc' }))).rejects.toThrow();
    await expect(tokens.add(sample({ name: 'other' }))).rejects.toThrow();
    await tokens.add(sample({ id: 'dddddddddddd', name: 'DASHBOARD' }));
    expect(await tokens.list()).toHaveLength(2);
  });

  it('removes one, and says whether it was there', async () => {
    await tokens.add(sample());
    expect(await tokens.remove('cccccccccccc')).toBe(false);
    expect(await tokens.remove(sample().id)).toBe(true);
    expect(await tokens.remove(sample().id)).toBe(false);
    expect(await tokens.list()).toEqual([]);
  });
}

function sample(changes: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: 'aaaaaaaaaaaa',
    name: 'dashboard',
    role: 'viewer',
    hosts: null,
    hash: 'ab'.repeat(32),
    createdBy: 'socket',
    createdAt: new Date(1_795_000_000_123),
    expiresAt: null,
    ...changes,
  };
}
