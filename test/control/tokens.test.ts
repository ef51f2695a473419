import { beforeEach, describe, expect, it } from 'vitest';
import { TokenMemory } from '../helpers/token-memory.js';

let memory: TokenMemory;
beforeEach(() => {
  memory = new TokenMemory();
});

describe('a token', () => {
  it('is found by its text alone, and nothing of its secret is kept', async () => {
    const text = await memory.make({ role: 'operator', hosts: ['web1'] });
    expect(await memory.tokens.find(text)).toMatchObject({
      name: 'alice',
      role: 'operator',
      hosts: ['web1'],
    });
    expect(JSON.stringify(memory.records)).not.toContain(text.slice(-43));
  });

  it('is refused when a letter differs, when it is not known, and when it is none', async () => {
    const text = await memory.make();
    const other = await new TokenMemory().make();
    const mixed = text.slice(0, 18) + other.slice(18);
    for (const wrong of [mixed, other, '', 'busy_', text.slice(0, -1)])
      await expect(memory.tokens.find(wrong)).rejects.toMatchObject({ reason: 'TOKEN_REFUSED' });
  });

  it('counts until it expires', async () => {
    const expiresAt = new Date(memory.now.getTime() + 1000);
    const text = await memory.make({ expiresAt });
    memory.now = new Date(expiresAt.getTime() - 1);
    const { id } = await memory.tokens.find(text);
    memory.tokens.confirm(id);
    memory.now = expiresAt;
    await expect(memory.tokens.find(text)).rejects.toMatchObject({ reason: 'TOKEN_EXPIRED' });
    expect(() => memory.tokens.confirm(id)).toThrow(/expired/);
  });

  it('counts no more once it is revoked, by its name or its id', async () => {
    const [one, other] = [await memory.make({ name: 'one' }), await memory.make({ name: 'other' })];
    const { id } = await memory.tokens.find(other);
    await memory.tokens.revoke('one');
    await expect(memory.tokens.find(one)).rejects.toMatchObject({ reason: 'TOKEN_REFUSED' });
    expect(await memory.tokens.revoke(id)).toMatchObject({ name: 'other' });
    expect(() => memory.tokens.confirm(id)).toThrow(/revoked/);
    await expect(memory.tokens.revoke('one')).rejects.toMatchObject({ reason: 'TOKEN_NOT_FOUND' });
  });

  it('has a name of its own, and there is an end to their number', async () => {
    await memory.make();
    await expect(memory.make()).rejects.toMatchObject({ reason: 'TOKEN_EXISTS' });
    const first = memory.onlyRecord();
    for (let index = 1; index < 1000; index++)
      memory.records.push({ ...first, id: `${index}`, name: `${index}` });
    await expect(memory.make({ name: 'more' })).rejects.toMatchObject({ reason: 'TOO_MANY_TOKENS' });
  });

  it('with a role of a newer BUSY counts for nothing', async () => {
    const text = await memory.make();
    memory.records.splice(0, 1, { ...memory.onlyRecord(), role: 'owner' as never });
    await memory.tokens.refresh();
    await expect(memory.tokens.find(text)).rejects.toMatchObject({ reason: 'TOKEN_REFUSED' });
  });
});

describe('the database', () => {
  it('is asked now and then, however many tokens are shown', async () => {
    const text = await memory.make();
    const wrong = await new TokenMemory().make();
    memory.readCount = 0;
    memory.elapsed += 1000;
    for (let index = 0; index < 50; index++) {
      await memory.tokens.find(text);
      await memory.tokens.find(wrong).catch(() => undefined);
    }
    expect(memory.readCount).toBe(1);
    memory.elapsed += 5000;
    await Promise.all(Array.from({ length: 50 }, () => memory.tokens.find(text)));
    expect(memory.readCount).toBe(2);
  });

  it('tells of tokens that another daemon made or revoked', async () => {
    const text = await memory.make();
    const elsewhere = new TokenMemory();
    const late = await elsewhere.make({ name: 'late' });
    memory.records.splice(0, 1, ...elsewhere.records);
    memory.elapsed += 1000;
    expect(await memory.tokens.find(late)).toMatchObject({ name: 'late' });
    await expect(memory.tokens.find(text)).rejects.toMatchObject({ reason: 'TOKEN_REFUSED' });
  });

  it('may be away for those who are known, but not at first', async () => {
    const text = await memory.make();
    memory.isAway = true;
    memory.elapsed += 60_000;
    expect(await memory.tokens.find(text)).toMatchObject({ name: 'alice' });
    const fresh = new TokenMemory();
    fresh.isAway = true;
    await expect(fresh.tokens.find(text)).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
  });
});
