import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { TreeEntry } from '../../src/core/manifest.js';
import type { AheadAnswer, AheadOrder, AheadThread } from '../../src/execute/hash-ahead.js';
import { SharedHashes } from '../../src/execute/shared-hashes.js';
import { lookAt } from '../../src/execute/tree-walk.js';
import { placeTouchy } from '../helpers/touchy.js';

// Threads run what is compiled.
const compiled = new URL('../../dist/src/execute/', import.meta.url);
const { AheadThread: Thread } = (await import(new URL('hash-ahead.js', compiled).href)) as {
  AheadThread: typeof AheadThread;
};

const content = 'x'.repeat(100_000);
const sha256 = createHash('sha256').update(content).digest('hex');
let directory: string;
let data: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-ahead-'));
  data = join(directory, 'data');
  await mkdir(join(data, 'source'), { recursive: true });
});
afterEach(() => rm(directory, { recursive: true }));

async function makeFileAndHuge(): Promise<void> {
  await writeFile(join(data, 'source/huge'), '');
  // A hundred gigabytes of nothing: more than a test may take.
  await truncate(join(data, 'source/huge'), 100e9);
  await writeFile(join(data, 'source/file'), content);
}

function entryOf(path: string): TreeEntry {
  return lookAt(data, `/source/${path}`) as TreeEntry;
}

describe('the thread that hashes ahead', () => {
  let worker: Worker;
  let dealtWith: number[];
  let hashed: Map<number, SharedHashes>;
  beforeEach(() => {
    worker = new Worker(new URL('hash-ahead-worker.js', compiled));
    dealtWith = [];
    hashed = new Map();
    worker.on('message', (answer: AheadAnswer) => {
      if (answer.kind === 'dealtWith') dealtWith.push(answer.backup);
      else hashed.set(answer.backup, new SharedHashes(answer.files));
    });
  });
  afterEach(() => worker.terminate());

  const tell = (order: AheadOrder): void => worker.postMessage(order, []);

  function begin(backup: number): Int32Array {
    const isOver = new Int32Array(new SharedArrayBuffer(4));
    tell({ kind: 'begin', backup, root: data, isOver });
    return isOver;
  }

  function name(backup: number, ...paths: string[]): void {
    tell({ kind: 'hash', backup, paths: paths.map((path) => `/source/${path}`) });
  }

  /** When so many files of a backup are dealt with. */
  async function filesAfter(backup: number, count: number): Promise<SharedHashes> {
    const counted = (): number => dealtWith.filter((of) => of === backup).length;
    await expect.poll(counted, { timeout: 20_000 }).toBe(count);
    tell({ kind: 'end', backup });
    await expect.poll(() => hashed.has(backup), { timeout: 20_000 }).toBe(true);
    return hashed.get(backup) as SharedHashes;
  }

  it('knows what was named, also when it comes later than its name', async () => {
    begin(1);
    await writeFile(join(data, 'source/first'), content);
    name(1, 'late', 'first');
    await expect.poll(() => dealtWith, { timeout: 20_000 }).toEqual([1]);
    await writeFile(join(data, 'source/.late'), content);
    await rename(join(data, 'source/.late'), join(data, 'source/late'));
    const files = await filesAfter(1, 2);
    expect(['first', 'late'].map((path) => files.find(entryOf(path)))).toEqual([sha256, sha256]);
    await writeFile(join(data, 'source/new'), content);
    await rename(join(data, 'source/new'), join(data, 'source/first'));
    expect(files.find(entryOf('first'))).toBeUndefined();
  });

  it('follows no link out of the snapshot, and reads nothing but files', async () => {
    begin(1);
    await mkdir(join(directory, 'outside'));
    await writeFile(join(directory, 'outside/file'), content);
    await symlink(join(directory, 'outside'), join(data, 'source/way'));
    await symlink(join(directory, 'outside/file'), join(data, 'source/link'));
    execFileSync('mkfifo', [join(data, 'source/fifo')]);
    await writeFile(join(data, 'source/file'), content);
    name(1, 'way/file', 'link', 'fifo', '../../outside/file', 'file');
    expect((await filesAfter(1, 5)).size).toBe(1);
  });

  it('opens nothing that is not a file', async () => {
    begin(1);
    const touchy = await placeTouchy(join(data, 'source/pipe'));
    execFileSync('mknod', [join(data, 'source/device'), 'c', '1', '7']);
    await writeFile(join(data, 'source/file'), content);
    name(1, 'pipe', 'device', 'file');
    expect((await filesAfter(1, 3)).size).toBe(1);
    expect(await touchy.wasOpened()).toBe(false);
  });

  it('waits for a file that never comes no longer than for a thousand others', async () => {
    begin(1);
    await writeFile(join(data, 'source/file'), content);
    name(1, 'gone', ...Array.from({ length: 1001 }, () => 'file'));
    expect((await filesAfter(1, 1002)).size).toBe(1);
  });

  it('gives a backup up at once, in the middle of a file, and goes on with others', async () => {
    const isOver = begin(1);
    begin(2);
    await makeFileAndHuge();
    name(1, 'file', 'huge');
    name(2, 'file');
    await expect.poll(() => dealtWith, { timeout: 20_000 }).toContain(1);
    Atomics.store(isOver, 0, 1);
    expect((await filesAfter(2, 1)).find(entryOf('file'))).toBe(sha256);
  });

  it('ends one backup while it reads a file of another, and goes on with that', async () => {
    const isOver = begin(1);
    begin(2);
    await makeFileAndHuge();
    name(2, 'file');
    name(1, 'file', 'huge', 'file');
    name(2, 'file');
    await expect.poll(() => dealtWith, { timeout: 20_000 }).toEqual([2, 1]);
    tell({ kind: 'end', backup: 2 });
    await expect.poll(() => hashed.get(2)?.size, { timeout: 20_000 }).toBe(1);
    expect(dealtWith).toEqual([2, 1]);
    Atomics.store(isOver, 0, 1);
    await expect.poll(() => dealtWith, { timeout: 20_000 }).toEqual([2, 1, 1, 1, 2]);
  });

  it('finishes the file of a backup that ends', async () => {
    begin(1);
    await writeFile(join(data, 'source/large'), '');
    await truncate(join(data, 'source/large'), 100e6);
    name(1, 'large', 'large');
    tell({ kind: 'end', backup: 1 });
    await expect.poll(() => hashed.get(1)?.size, { timeout: 20_000 }).toBe(1);
    begin(2);
    expect((await filesAfter(2, 0)).size).toBe(0);
  });
});

const item = { kind: 'item', change: '>f+++++++++', size: 10_000_000, path: 'file' } as const;

test('a backup of little, or of nothing that is large, is not worth a thread', async () => {
  const ahead = new Thread().begin(data);
  for (const size of [1000, 5_000_000]) ahead.hear('/source', { ...item, size });
  ahead.hear('/source', { ...item, change: 'cd+++++++++' });
  await new Promise(setImmediate);
  expect(await ahead.end()).toBeNull();
});

test('one that is closed has nothing, and waits for nothing', async () => {
  const ahead = new Thread().begin(data);
  ahead.hear('/source', item);
  await new Promise(setImmediate);
  const end = ahead.end();
  ahead.close();
  expect(await end).toBeNull();
  ahead.hear('/source', item);
  expect(await ahead.end()).toBeNull();
});

test('where no thread can be started, nothing is hashed ahead and the backup goes on', async () => {
  class WithoutThreads extends Thread {
    override tell(): void {
      throw Object.assign(new Error('no more tasks'), { code: 'ERR_WORKER_INIT_FAILED' });
    }
  }
  const ahead = new WithoutThreads().begin(data);
  ahead.hear('/source', item);
  await new Promise(setImmediate);
  expect(await ahead.end()).toBeNull();
});

test('a thread that is lost at the end leaves all to the manifest', async () => {
  class Losing extends Thread {
    override tell(order: AheadOrder): void {
      if (order.kind === 'end') throw new Error('no more tasks');
    }
  }
  const ahead = new Losing().begin(data);
  ahead.hear('/source', item);
  await new Promise(setImmediate);
  expect(await ahead.end()).toBeNull();
});
