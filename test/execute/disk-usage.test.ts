import { link, mkdir, mkdtemp, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { measureUsage, UsageMeter } from '../../src/execute/disk-usage.js';
import { LinkCountdown } from '../../src/execute/link-countdown.js';
import { mountSmallDisk, type SmallDisk } from '../helpers/small-disk.js';
import { runCommand } from '../helpers/run-command.js';
import { writeFiles } from '../helpers/tree-listing.js';

const never = new AbortController().signal;

function measure(...directories: string[]): ReturnType<typeof measureUsage> {
  return measureUsage(directories, () => {}, never);
}

function usageOf(text: string, pieceLength = text.length): ReturnType<UsageMeter['usage']> {
  const meter = new UsageMeter();
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += pieceLength)
    meter.feed(bytes.subarray(start, start + pieceLength));
  return meter.usage();
}

describe('what find prints', () => {
  const text = 'd 1 9 8\nf 2 1 16\nf 3 2 16\nf 3 2 16\nf 4 3 30\nl 5 1 0\n';

  test('counts a file with the last of its links, a directory always', () => {
    expect(usageOf(text)).toEqual({
      seen: { bytes: 512 * (8 + 16 + 16 + 30), inodes: 5 },
      own: { bytes: 512 * (8 + 16 + 16), inodes: 4 },
      sharedBytes: 512 * (8 + 16 + 16 + 10),
    });
  });

  test.each([1, 2, 3, 5])('is read in pieces of %i bytes too', (length) => {
    expect(usageOf(text, length)).toEqual(usageOf(text));
  });

  test('has inodes of 64 bits, which are told apart to the last digit', () => {
    const near = ['18446744073709551615', '18446744073709551614', '9007199254740993', '9007199254740992'];
    const usage = usageOf(near.map((inode) => `f ${inode} 2 8\n`).join(''));
    expect(usage).toMatchObject({ seen: { inodes: 4 }, own: { inodes: 0 } });
    expect(usageOf(`f ${near[0]} 2 8\nf ${near[0]} 2 8\n`)).toMatchObject({
      seen: { inodes: 1 },
      own: { inodes: 1 },
    });
  });

  test('of more inodes than the table has at first is counted right', () => {
    const counter = new LinkCountdown();
    const count = 100_000;
    const outcomes = [1, 2, 3].map((round) => {
      const seen = new Set<string>();
      for (let inode = 1; inode <= count; inode++) seen.add(counter.count(inode % 7, inode * 37, 3));
      return [round, ...seen];
    });
    expect(outcomes).toEqual([
      [1, 'first'],
      [2, 'between'],
      [3, 'last'],
    ]);
  });

  test('links that were made meanwhile do no harm', () => {
    const counter = new LinkCountdown();
    expect([1, 2, 3, 4].map(() => counter.count(0, 9, 2))).toEqual(['first', 'last', 'between', 'between']);
  });
});

describe('directories', () => {
  let directory: string;
  let disk: SmallDisk;
  const path = (name: string): string => join(directory, name);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'busy-usage-'));
    disk = await mountSmallDisk(directory, '32m');
    await writeFiles(path('one'), {
      own: 300_000,
      twice: 50_000,
      shared: 70_000,
      'deep/small': 10,
      'odd\n "name': 5000,
    });
    await link(path('one/twice'), path('one/deep/twice'));
    await symlink('nowhere', path('one/symlink'));
    await mkdir(path('two'));
    await link(path('one/shared'), path('two/shared'));
    await writeFiles(path('two'), { other: 1000 });
  });
  afterAll(async () => {
    await disk.unmount();
    await rm(directory, { recursive: true });
  });

  test('take up what du says, and together what both take', async () => {
    for (const names of [['one'], ['two'], ['one', 'two']]) {
      const { stdout } = await runCommand('du', ['-sc', '--block-size=1', ...names.map(path)]);
      const total = Number(/(\d+)\ttotal/.exec(stdout)?.[1]);
      expect((await measure(...names.map(path)))?.seen.bytes, names.join()).toBe(total);
    }
    const [one, two, both] = [
      await measure(path('one')),
      await measure(path('two')),
      await measure(path('one'), path('two')),
    ];
    expect((one?.sharedBytes ?? 0) + (two?.sharedBytes ?? 0)).toBe(both?.seen.bytes);
    expect(both?.own).toEqual(both?.seen);
  });

  test('free exactly what was said when they are deleted', async () => {
    for (const name of ['one', 'two']) {
      const before = await statfs(directory);
      const usage = await measure(path(name));
      await rm(path(name), { recursive: true });
      const after = await statfs(directory);
      expect((after.bfree - before.bfree) * before.bsize, name).toBe(usage?.own.bytes);
    }
  });

  test('that are gone are told as such; of a group some may be', async () => {
    expect(await measure(path('none'))).toBeNull();
    await mkdir(path('there'));
    expect((await measure(path('none'), path('there')))?.seen.inodes).toBe(1);
  });

  test('a cancel ends the walk', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(measureUsage(['/usr'], () => {}, stop.signal)).rejects.toMatchObject({
      reason: 'CANCELLED',
    });
  });

  test('a file in the place of a directory is measured as what it is', async () => {
    await writeFile(path('file'), 'x');
    expect((await measure(path('file')))?.own.inodes).toBe(1);
  });
});
