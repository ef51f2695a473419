import { appendFile, chmod, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyHead, type AuditEvent, type AuditLine, type AuditLog } from '../../src/core/audit.js';
import { createAuditLog, verifyFiles } from '../../src/store/audit-log.js';

let directory: string;
let file: string;
let log: AuditLog;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-audit-'));
  file = join(directory, 'audit.log');
  log = open();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** As another daemon finds it. */
function open(fileBytes?: number): AuditLog {
  const clock = { now: () => new Date('2026-11-22T20:00:05.123Z') };
  const options = { stateDir: directory, clock, makeRoom: () => false };
  return createAuditLog(fileBytes === undefined ? options : { ...options, fileBytes });
}

function done(call: string): AuditEvent {
  const caller = { name: 'ann', role: 'admin', address: '' };
  return { kind: 'done', caller, call, host: 'wéb1', request: '{}', message: '' };
}

async function append(...names: string[]): Promise<void> {
  for (const call of names) await log.append(done(call));
}

async function all(): Promise<AuditLine[]> {
  const lines: AuditLine[] = [];
  for await (const line of log.newestFirst()) lines.push(line);
  return lines;
}

async function calls(): Promise<string[]> {
  return (await all()).map(({ event }) => ('call' in event ? event.call : event.kind));
}

const linesOf = async (): Promise<string[]> => (await readFile(file, 'utf8')).split('\n').slice(0, -1);
const rewrite = (lines: readonly string[]): Promise<void> => writeFile(file, `${lines.join('\n')}\n`);

describe('the audit log', () => {
  test('keeps every line, each chained to the one before, across restarts', async () => {
    expect(log.head()).toBeNull();
    await append('one', 'two');
    log = open();
    await append('three');
    expect(await calls()).toEqual(['three', 'started', 'two', 'one', 'started']);
    const lines = (await linesOf()).map(
      (line) => JSON.parse(line) as { seq: number; prev: string; hash: string },
    );
    expect(lines.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(lines.map(({ prev }) => prev)).toEqual([
      emptyHead.hash,
      ...lines.slice(0, -1).map(({ hash }) => hash),
    ]);
    expect(log.head()).toEqual({ sequence: 5, hash: lines[4]?.hash });
    expect(await log.verify('')).toMatchObject({ broken: null, lines: 5, torn: 0, head: log.head() });
  });

  test('writes lines in the order in which they were given, also those of calls at once', async () => {
    const sequences = await Promise.all(
      Array.from({ length: 20 }, (_, index) => log.append(done(`call ${index}`))),
    );
    expect(sequences).toEqual(Array.from({ length: 20 }, (_, index) => index + 2));
    expect((await calls()).slice(0, -1).toReversed()).toEqual(sequences.map((_, index) => `call ${index}`));
    expect((await log.verify('')).broken).toBeNull();
  });

  test('begins another file when one is full, and the chain goes on in it', async () => {
    log = open(600);
    await append('one', 'two', 'three', 'four', 'five');
    const names = (await readdir(directory)).sort();
    expect(names.length).toBeGreaterThan(1);
    expect(names).toContain('audit-000000000001.log');
    log = open(600);
    await append('six');
    expect(await calls()).toEqual(['six', 'started', 'five', 'four', 'three', 'two', 'one', 'started']);
    expect(await log.verify('')).toMatchObject({ broken: null, lines: 8 });
    await rm(
      join(directory, names.find((name) => name !== 'audit-000000000001.log' && name !== 'audit.log') ?? ''),
    );
    expect((await log.verify('')).broken).not.toBeNull();
  });
});

describe('verifying finds', () => {
  beforeEach(() => append('one', 'two', 'three'));

  test.each([
    ['a line that was changed', (lines: string[]) => lines.with(2, lines[2]?.replace('ann', 'bob') ?? ''), 3],
    ['a line that was taken out', (lines: string[]) => lines.toSpliced(2, 1), 3],
    ['a line that was put in', (lines: string[]) => lines.toSpliced(2, 0, lines[1] ?? ''), 3],
    [
      'lines that changed places',
      (lines: string[]) => [lines[0], lines[2], lines[1], lines[3]] as string[],
      2,
    ],
    ['a line that is none', (lines: string[]) => lines.toSpliced(1, 0, 'nothing'), 2],
    [
      'a last line that was changed',
      (lines: string[]) => lines.with(3, lines[3]?.replace('ann', 'bob') ?? ''),
      4,
    ],
  ])('%s, and names it', async (_, change, line) => {
    await rewrite(change(await linesOf()));
    expect((await log.verify('')).broken).toMatchObject({ file, line });
    expect((await verifyFiles([file], '')).broken).toMatchObject({ file, line });
  });

  test('an end that was taken off: while the daemon runs, or by a hash that was noted', async () => {
    const noted = log.head()?.hash ?? '';
    const lines = await linesOf();
    expect((await verifyFiles([file], noted)).hasNoted).toBe(true);
    await rewrite(lines.slice(0, -1));
    expect((await log.verify('')).broken?.problem).toContain('ends with line 3, but the daemon wrote line 4');
    // Nothing in the file itself tells of it.
    expect(await verifyFiles([file], noted)).toMatchObject({ broken: null, hasNoted: false, lines: 3 });
    expect((await verifyFiles([file], JSON.parse(lines[1] ?? '').hash as string)).hasNoted).toBe(true);
  });
});

describe('a crash in the middle of a line', () => {
  test('leaves a piece, which is no fault, and which the next start notes', async () => {
    await append('one', 'two');
    const whole = await readFile(file);
    await truncate(file, whole.length - 20);
    expect(await verifyFiles([file], '')).toMatchObject({ broken: null, torn: 1, lines: 2 });
    log = open();
    await append('three');
    expect(await calls()).toEqual(['three', 'started', 'one', 'started']);
    expect(await log.verify('')).toMatchObject({ broken: null, torn: 1, lines: 4 });
    // What was noted cannot be changed afterwards.
    const lines = await linesOf();
    await rewrite(lines.with(2, `${lines[2]} `));
    expect((await log.verify('')).broken).toMatchObject({ file, line: 3 });
  });

  test('that is the first of a file loses nothing either', async () => {
    log = open(200);
    await append('one');
    await appendFile(join(directory, 'audit.log'), '');
    const names = await readdir(directory);
    expect(names).toContain('audit-000000000001.log');
    await writeFile(file, '{"seq":');
    log = open(200);
    await append('two');
    expect((await log.verify('')).broken).toBeNull();
    expect((await calls())[0]).toBe('two');
  });
});

test('what cannot be written throws, leaves the file as it was, and goes on when it can', async () => {
  await append('one');
  const before = await readFile(file, 'utf8');
  await rm(file);
  await rm(directory, { recursive: true });
  await expect(log.append(done('lost'))).rejects.toThrow('ENOENT');
  directory = await mkdtemp(join(tmpdir(), 'busy-audit-'));
  file = join(directory, 'audit.log');
  await writeFile(file, before);
  await chmod(file, 0o600);
  log = open();
  await append('two');
  expect(await calls()).toEqual(['two', 'started', 'one', 'started']);
  expect((await log.verify('')).broken).toBeNull();
});
