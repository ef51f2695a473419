import { mkdtemp, rm, stat, statfs, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../src/store/data-source.js';
import { Reserve } from '../../src/store/reserve.js';
import { openRunLogs } from '../../src/store/run-log.js';
import { createRunStore } from '../../src/store/runs.js';
import { mountSmallDisk, type SmallDisk } from '../helpers/small-disk.js';
import { runCommand } from '../helpers/run-command.js';
import { until } from '../helpers/test-bed.js';
import { sampleRun } from './samples.js';

const MiB = 1024 ** 2;
/** Whether the database was away, at each access. */
const away: boolean[] = [];
const runId = '01M82TN8R5XGS4THYDKJ7M709M';
let directory: string;
let disk: SmallDisk;
let reserve: Reserve;
let said: string[];

const file = (): string => join(directory, 'reserve');
const size = async (): Promise<number> => (await stat(file()).catch(() => ({ size: 0 }))).size;

function note(message: string): void {
  said.push(message);
}

function make(bytes = 4 * MiB): Reserve {
  const clock = { now: (): Date => new Date(Date.UTC(2026, 10, 22)) };
  reserve = new Reserve({ stateDir: directory, bytes, clock, log: { info: note, warn: note } });
  return reserve;
}

async function fill(): Promise<void> {
  await runCommand('sh', ['-c', 'cat /dev/zero >> "$1/filler"', 'fill', directory]);
  expect((await statfs(directory)).bavail).toBe(0);
}

async function whole(bytes = 4 * MiB): Promise<void> {
  await until(async () => (await size()) === bytes && reserve.state().bytes === bytes, 'the reserve');
}

beforeEach(async () => {
  said = [];
  directory = await mkdtemp(join(tmpdir(), 'busy-reserve-'));
  disk = await mountSmallDisk(directory, '16m');
});

afterEach(async () => {
  await reserve.stop();
  await disk.unmount();
  await rm(directory, { recursive: true });
});

describe('the reserve', () => {
  test('is made, given back in parts, and made whole when there is space again', async () => {
    make().start();
    await whole();
    await fill();
    expect([reserve.release(), reserve.release()]).toEqual([true, true]);
    expect(await size()).toBe(2 * MiB);
    expect(reserve.state()).toMatchObject({ bytes: 2 * MiB, wantedBytes: 4 * MiB });
    expect(reserve.state().releasedSince).not.toBeNull();
    expect([reserve.release(), reserve.release(), reserve.release()]).toEqual([true, true, false]);
    await rm(join(directory, 'filler'));
    await whole();
    await until(() => said.at(-1) === 'there is space again, and the reserve is whole', 'the log to say so');
    expect(reserve.state().releasedSince).toBeNull();
  });

  test('is given back by itself when the disk is full, before anything fails', async () => {
    make().start();
    await whole();
    await fill();
    await until(async () => (await size()) < 4 * MiB, 'a part to be given back');
  });

  test('is not made where it would fill the disk', async () => {
    await writeFile(join(directory, 'filler'), Buffer.alloc(10 * MiB));
    make().start();
    await reserve.stop();
    expect(await size()).toBe(0);
  });

  test('of a daemon that starts on a full disk gives a part at once', async () => {
    make().start();
    await whole();
    await reserve.stop();
    await fill();
    make();
    expect(await size()).toBe(3 * MiB);
  });

  test('is made smaller, or removed, as the configuration says', async () => {
    make().start();
    await whole();
    await reserve.stop();
    make(MiB).start();
    await whole(MiB);
    await reserve.stop();
    make(0).start();
    await until(async () => (await size()) === 0, 'the reserve to go');
    expect(reserve.release()).toBe(false);
  });
});

function observe(error: unknown): void {
  away.push(error !== null);
}

describe('a full disk', () => {
  let database: Database;

  beforeEach(async () => {
    make().start();
    await whole();
    database = await openDatabase(
      { kind: 'sqlite', path: join(directory, 'busy.db') },
      observe,
      reserve.release,
    );
  });
  afterEach(() => database.close());

  test('the database takes from the reserve, and no caller meets a fault', async () => {
    const runs = createRunStore(database);
    await reserve.stop();
    await fill();
    for (let index = 0; index < 200; index++) {
      await runs.add(sampleRun(index));
    }
    expect(await runs.list({ limit: 500 })).toHaveLength(200);
    expect(away).not.toContain(true);
    expect(reserve.state().releasedSince).not.toBeNull();
  });

  test('without a reserve it is away, and there again when there is space', async () => {
    const runs = createRunStore(database);
    await reserve.stop();
    while (reserve.release());
    await fill();
    const write = async (): Promise<void> => {
      for (let index = 0; index < 2000; index++) await runs.add(sampleRun(index));
    };
    await expect(write()).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    await rm(join(directory, 'filler'));
    await database.ping();
    await runs.add(sampleRun(5000));
  });

  test('logs take from it too; without it they say how many lines are missing, and lines stay whole', async () => {
    await reserve.stop();
    const clock = { now: (): Date => new Date(Date.UTC(2026, 10, 22)) };
    const logs = await openRunLogs(directory, clock, reserve.release);
    await logs.append(runId, 'first');
    await fill();
    for (let index = 0; index < 300; index++) await logs.append(runId, `line ${index} ${'x'.repeat(100)}`);
    while (reserve.release());
    await fill();
    let lost = 0;
    for (let index = 300; index < 400; index++)
      await logs.append(runId, `line ${index} ${'x'.repeat(100)}`).catch(() => (lost += 1));
    expect(lost).toBeGreaterThan(60);
    await truncate(join(directory, 'filler'), 0);
    await logs.append(runId, 'last');
    const { lines } = await logs.read(runId, 0, true);
    expect(lines.every((line) => line.startsWith('2026-11-22T00:00:00.000Z ') || line.length < 140)).toBe(
      true,
    );
    expect(lines.at(-2)).toMatch(
      new RegExp(`\\[${lost} lines are missing here: the log could not be written\\]$`),
    );
    expect(lines.at(-1)).toMatch(/ last$/);
  });
});
