import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashFile } from '../../src/execute/file-hash.js';

/** Of the buffer that files are read into. */
const bufferBytes = 256 * 1024;

describe('the hash of a file', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'busy-file-hash-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const sizes = [0, 1, bufferBytes - 1, bufferBytes, bufferBytes + 1, 2 * bufferBytes, 3 * bufferBytes + 7];

  it.each(sizes)('is that of all its bytes, of %i too', async (size) => {
    const content = Buffer.from(Array.from({ length: size }, (_, at) => (at * 7919) % 251));
    const file = join(directory, `${size}`);
    await writeFile(file, content);
    let told = 0;
    const read = hashFile(Buffer.from(file), (bytes) => (told += bytes));
    expect(read).toEqual({ hash: createHash('sha256').update(content).digest('hex'), bytes: size });
    expect(told).toBe(size);
  });
});
