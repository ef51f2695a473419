import { lstatSync } from 'node:fs';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TreeEntry } from '../../src/core/manifest.js';
import { HashedFiles } from '../../src/execute/hashed-files.js';
import { SharedHashes } from '../../src/execute/shared-hashes.js';
import { lookAt } from '../../src/execute/tree-walk.js';

const hash = (number: number): string => number.toString(16).padStart(64, '0');

test('a file is found by inode, size and time, also in what was shared', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'busy-hashed-'));
  try {
    const path = join(directory, 'file');
    const look = (): TreeEntry => lookAt(directory, '/file') as TreeEntry;
    await writeFile(path, 'content');
    const files = new HashedFiles();
    files.add(lstatSync(path, { bigint: true }), hash(1));
    const find = (): string | undefined => new SharedHashes(files.toShared()).find(look());
    expect(find()).toBe(hash(1));

    await utimes(path, 5, 5);
    expect(find()).toBeUndefined();
    files.add(lstatSync(path, { bigint: true }), hash(2));
    expect(files.size).toBe(1);
    expect(find()).toBe(hash(2));
    await writeFile(path, 'longer content');
    await utimes(path, 5, 5);
    expect(find()).toBeUndefined();
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('it holds many, with numbers beyond those of a double', () => {
  const files = new HashedFiles();
  const first = 2n ** 63n;
  const stats = lstatSync('/', { bigint: true });
  // In no order.
  for (let step = 0; step < 5000; step++) {
    const number = (step * 1933) % 5000;
    files.add(Object.assign(Object.create(stats), { ino: first + BigInt(number) }), hash(number));
  }
  const shared = new SharedHashes(files.toShared());
  const entry = { ...(lookAt('/', '/') as TreeEntry), size: Number(stats.size) };
  for (const number of [0, 1023, 1024, 4999])
    expect(shared.find({ ...entry, inode: String(first + BigInt(number)) })).toBe(hash(number));
  expect(shared.find({ ...entry, inode: String(first + 5000n) })).toBeUndefined();
});
