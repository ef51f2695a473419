import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HashThreads } from '../../src/execute/hash-threads.js';

// Its threads run what is compiled.
const compiled = new URL('../../dist/src/execute/hash-threads.js', import.meta.url).href;
const { HashThreads: Threads } = (await import(compiled)) as { HashThreads: typeof HashThreads };

describe('HashThreads', () => {
  let threads: HashThreads;
  beforeEach(() => (threads = new Threads(false, 2)));
  afterEach(() => threads.close());

  it('hashes several contents at once, each in the order of its pieces', async () => {
    const contents = Array.from({ length: 5 }, () => randomBytes(3 * 1024 * 1024));
    const hashes = contents.map(() => threads.begin());
    for (let at = 0; at < 3 * 1024 * 1024; at += 1_000_000)
      for (const [index, hash] of hashes.entries())
        await hash.update(contents[index]?.subarray(at, at + 1_000_000) ?? Buffer.alloc(0));
    const found = await Promise.all(hashes.map((hash) => hash.digest()));
    expect(found).toEqual(contents.map((content) => createHash('sha256').update(content).digest('hex')));
  });

  it('hashes nothing', async () => {
    expect(await threads.begin().digest()).toBe(createHash('sha256').digest('hex'));
  });

  it('lets wait while more than 16 MiB are not hashed yet', async () => {
    const hash = threads.begin();
    const piece = Buffer.alloc(6 * 1024 * 1024);
    expect([hash.update(piece), hash.update(piece)]).toEqual([undefined, undefined]);
    await expect(hash.update(piece)).resolves.toBeUndefined();
    await hash.digest();
  });

  it('sends of a piece no more than the piece', async () => {
    const hash = threads.begin();
    await hash.update(Buffer.alloc(1));
    // All of it for each of its pieces would be half a gigabyte, of which some would wait at any time.
    const large = randomBytes(1024 * 1024);
    const before = process.memoryUsage.rss();
    let most = 0;
    for (let piece = 0; piece < 512; piece++) {
      const at = (piece % 256) * 4096;
      void hash.update(large.subarray(at, at + 4096));
      most = Math.max(most, process.memoryUsage.rss() - before);
    }
    await hash.digest();
    expect(most).toBeLessThan(64 * 1024 * 1024);
  });

  it('throws when its threads have ended before the hash was asked for', async () => {
    const hash = threads.begin();
    void hash.update(Buffer.alloc(10));
    const digest = hash.digest();
    const refused = expect(digest).rejects.toThrow('a thread that hashes has ended');
    await threads.close();
    await refused;
    await expect(hash.digest()).rejects.toThrow('has ended');
  });
});
