import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bytesOf } from '../../src/core/byte-path.js';
import { onlyPatterns } from '../../src/execute/rsync-args.js';
import { walkTree } from '../../src/execute/tree-walk.js';

const run = promisify(execFile);
let scratch: string;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'busy-patterns-'));
});
afterEach(() => run('rm', ['-rf', '--', scratch]));

/** What rsync copies with the patterns for these paths, as bytes. */
async function copied(all: readonly string[], wanted: readonly string[]): Promise<string[]> {
  for (const path of all) {
    const place = Buffer.from(bytesOf(join(scratch, 'source')) + path, 'latin1');
    await mkdir(Buffer.from(dirname(place.toString('latin1')), 'latin1'), { recursive: true });
    await writeFile(place, path);
  }
  for (const patterns of onlyPatterns(wanted)) {
    const includes = patterns.map((pattern) => `--include=${pattern}`);
    await run('rsync', [
      '-a',
      '--ignore-existing',
      ...includes,
      '--exclude=*',
      `${scratch}/source/`,
      `${scratch}/copy/`,
    ]);
  }
  const copy = walkTree(bytesOf(join(scratch, 'copy')));
  return [...copy]
    .filter(({ type }) => type === 'file')
    .map(({ path }) => path)
    .sort();
}

describe('the patterns for certain files', () => {
  it.each([
    [['/a', '/b'], ['/a']],
    [['/deep/er/a', '/deep/er/b', '/deep/a', '/er/a'], ['/deep/er/a']],
    [['/with blank', '/with', '/blank'], ['/with blank']],
    [['/star*', '/starlight', '/star'], ['/star*']],
    [
      ['/a?', '/ab', '/a[b]', '/a\\*', '/a\\'],
      ['/a?', '/a[b]', '/a\\*'],
    ],
    [['/a\\b', '/ab'], ['/a\\b']],
    [[bytesOf('/Grüße/ä'), bytesOf('/Grüße/ö')], [bytesOf('/Grüße/ä')]],
    [[bytesOf('/Grüße/*ä'), bytesOf('/Grüße/xä')], [bytesOf('/Grüße/*ä')]],
    [['/line\nbreak', '/line', '/break'], ['/line\nbreak']],
    [
      ['/-dash', '/+ plus', '/# hash', '/; semi'],
      ['/-dash', '/+ plus', '/# hash'],
    ],
  ])('of %j copy these and no others: %j', async (all, wanted) => {
    expect(await copied(all, wanted)).toEqual(wanted.toSorted());
  });

  it('reach names that no argument can hold', async () => {
    expect(await copied(['/odd\xff\xfe*', '/oddxx', '/other'], ['/odd\xff\xfe*'])).toEqual(['/odd\xff\xfe*']);
  });

  it('come in pieces that fit into a command line', async () => {
    const paths = Array.from(
      { length: 3000 },
      (_, number) => `/directory/with a long name/${number}-${'x'.repeat(40)}`,
    );
    const pieces = onlyPatterns(paths);
    expect(pieces.length).toBeGreaterThan(2);
    for (const piece of pieces) expect(piece.join(' ').length).toBeLessThan(100_000);
    expect(new Set(pieces.flat()).size).toBe(paths.length + 2);
    expect(onlyPatterns([])).toEqual([]);
  });
});
