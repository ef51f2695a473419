import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LinkCounter } from '../../src/execute/link-counter.js';
import { JobEar } from '../../src/execute/job-ear.js';
import { JobLog } from '../../src/execute/job-log.js';
import { takeAll, takeInBatches } from '../../src/execute/output-batch.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-job-log-'));
});
afterAll(() => rm(directory, { recursive: true }));

test.each([
  ['at once', takeAll],
  ['in batches', takeInBatches],
])('a log whose disk takes nothing holds back what fills it (%s), and nothing is lost', async (_, hear) => {
  const file = await slowFile();
  const log = new JobLog(file);
  const sent = 60_000;
  let made = 0;
  const lines = function* (): Iterable<Buffer> {
    for (; made < sent; made++) yield Buffer.from(`line ${made} ${'x'.repeat(90)}`);
  };
  const host = Readable.from(lines(), { objectMode: false });
  const held = new Promise<void>((resolve) => {
    hear(host, (bytes) => {
      log.add(bytes.toString());
      const behind = log.flush();
      if (behind) resolve();
      return behind;
    });
  });
  await held;
  // What went into the log, and what the streams on the way may hold.
  expect(made * 100).toBeLessThan(4e6);
  const read = readFile(file, 'utf8');
  await once(host, 'end');
  await log.end();
  const numbers = [...(await read).matchAll(/line (\d+) x/g)].map((match) => Number(match[1]));
  expect(numbers).toEqual(Array.from({ length: sent }, (__, number) => number));
});

test('a log that can no longer be written lets go', async () => {
  const file = await slowFile();
  const log = new JobLog(file);
  for (let piece = 0; piece < 40; piece++) log.add('x'.repeat(100_000));
  const behind = log.flush();
  expect(behind).not.toBeNull();
  // The reader goes away: EPIPE, as a disk that is full or gone answers.
  const reader = await open(file, 'r');
  await reader.close();
  await behind;
  log.add('nothing takes this');
  expect(log.flush()).toBeNull();
  await log.end();
});

test('names of files that fail are kept up to a size, whatever their number; the rest is counted', async () => {
  const said: string[] = [];
  const startRsync = { seenFromOutside: (text: string): string => text };
  const ear = new JobEar(
    { directory, startRsync, say: (text) => said.push(text), onEvent: () => {} },
    1,
    {
      source: '/source',
      destination: '/partial/data/source',
      linkBases: [],
      leftOut: [],
      snapshotBases: [],
      mustCompareContents: false,
      isComparison: false,
    },
    { links: new LinkCounter(), onCopied: () => {} },
  );
  const count = 1000;
  for (let number = 0; number < count; number++) {
    const name = `${number}-${'n'.repeat(30_000)}`;
    await ear.onError(
      Buffer.from(`rsync: [sender] send_files failed to open "/${name}": Permission denied (13)\n`),
    );
  }
  await ear.end();
  const characters = ear.problems.reduce((sum, { path }) => sum + path.length, 0);
  expect(characters).toBeGreaterThan(8e6);
  expect(characters).toBeLessThan(17e6);
  expect(ear.problems.length + ear.problemsNotKept).toBe(count);
  // The log of the run is short even so.
  expect(Math.max(...said.map((text) => text.length))).toBeLessThan(8100);
  expect(ear.lastWords.join('').length).toBeLessThan(11_000);
});

let files = 0;

/** A file that takes nothing until it is read. */
async function slowFile(): Promise<string> {
  const file = join(directory, `slow-${++files}`);
  await promisify(execFile)('mkfifo', [file]);
  return file;
}
