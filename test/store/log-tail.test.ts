import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readLastLines } from '../../src/store/log-tail.js';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'busy-tail-'));
  file = path.join(directory, 'run.log');
});
afterEach(() => rm(directory, { recursive: true }));

it('answers the last lines, oldest first', async () => {
  await writeFile(file, 'one\ntwo\nthree\n');
  expect(await readLastLines(file, 2)).toEqual(['two', 'three']);
  expect(await readLastLines(file, 20)).toEqual(['one', 'two', 'three']);
});

it('leaves out a line that is still written', async () => {
  await writeFile(file, 'one\ntw');
  expect(await readLastLines(file, 2)).toEqual(['one']);
});

it('has none where there is no file, or an empty one', async () => {
  expect(await readLastLines(file, 2)).toEqual([]);
  await writeFile(file, '');
  expect(await readLastLines(file, 2)).toEqual([]);
});

it('reads no more than the end of a large file, and begins with a whole line', async () => {
  await writeFile(file, `${'x'.repeat(200_000)}\n`);
  await appendFile(file, 'ö\n'.repeat(30_000));
  const lines = await readLastLines(file, 100_000);
  expect(new Set(lines)).toEqual(new Set(['ö']));
  expect(lines.length).toBeGreaterThan(20_000);
  await writeFile(file, `${'x'.repeat(200_000)}\n`);
  expect(await readLastLines(file, 5)).toEqual([]);
});
