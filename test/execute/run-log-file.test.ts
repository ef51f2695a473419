import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyRunLog, openRunLogFile, type RunLogFile } from '../../src/execute/run-log-file.js';
import { mountSmallDisk, type SmallDisk } from '../helpers/small-disk.js';
import { runCommand } from '../helpers/run-command.js';
import { until } from '../helpers/test-bed.js';

const clock = { now: (): Date => new Date(Date.UTC(2026, 10, 22, 20)) };
let directory: string;
let disk: SmallDisk;
let log: RunLogFile;
let growths: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-log-'));
  disk = await mountSmallDisk(directory, '256k');
  growths = 0;
  log = openRunLogFile(join(directory, 'run.log'), clock, () => (growths += 1));
});

afterEach(async () => {
  await log.close();
  await disk.unmount();
  await rm(directory, { recursive: true });
});

async function fill(): Promise<void> {
  await runCommand('sh', ['-c', 'cat /dev/zero > "$1/filler"', 'fill', directory]);
}

async function lines(): Promise<string[]> {
  const text = await readFile(join(directory, 'run.log'), 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => line.slice(line.indexOf(' ') + 1));
}

const counted = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `line ${from + index} ${'x'.repeat(40)}`);

test('what is said while the disk is full is written when it is not, whole and in order', async () => {
  log.say('before');
  await log.flushed();
  await fill();
  const said = counted(500);
  for (const text of said) log.say(text);
  await log.flushed();
  expect((await readFile(join(directory, 'run.log'))).length).toBeLessThan(500 * 50);
  await rm(join(directory, 'filler'));
  log.say('after');
  // By itself, without anything more that is said.
  const file = join(directory, 'run.log');
  await until(async () => (await readFile(file, 'utf8')).endsWith('after\n'), 'the lines to be written');
  expect(await lines()).toEqual(['before', ...said, 'after']);
  expect(growths).toBeGreaterThan(1);
});

test('where lines had to be left out the log says how many', async () => {
  await fill();
  await log.flushed();
  for (const text of counted(2500)) log.say(text);
  await log.flushed();
  await rm(join(directory, 'filler'));
  await until(async () => {
    await log.flushed();
    return (await lines().catch(() => [])).length >= 2000;
  }, 'the lines to be written');
  log.say('after');
  await log.flushed();
  const written = await lines();
  const note = written.at(-2) ?? '';
  const missing = Number(/^\[(\d+) lines are missing here: the log could not be written\]$/.exec(note)?.[1]);
  expect(missing).toBeGreaterThan(0);
  expect(written.slice(0, -2)).toEqual(counted(2500 - missing));
  expect(written.at(-1)).toBe('after');
});

test('a log that ends while lines are missing says so in its last line', async () => {
  await fill();
  for (const text of counted(2600)) log.say(text);
  await rm(join(directory, 'filler'));
  await log.close();
  expect((await lines()).at(-1)).toMatch(/^\[\d+ lines are missing here/);
});

test('a log that cannot be made at all is copied as nothing', async () => {
  await copyRunLog(join(directory, 'none.log'), join(directory, 'copy.log'));
  await expect(readFile(join(directory, 'copy.log'))).rejects.toThrow('ENOENT');
});
