import { appendFile } from 'node:fs/promises';
import { encodeTime } from 'ulid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunCleaner } from '../../src/control/run-cleaner.js';
import { newestRunsKept } from '../../src/core/run-retention.js';
import type { RunRecord } from '../../src/core/run.js';
import { ControlBed } from '../helpers/control-bed.js';
import { sampleRun, sampleSnapshot } from '../store/samples.js';

const dayMs = 86_400_000;
let bed: ControlBed;
let ours: (host: string) => boolean;
let number = 0;

beforeEach(async () => {
  bed = await ControlBed.open();
  ours = () => true;
});
afterEach(() => bed.close());

/** A run that was asked for so many days ago, with a log. */
async function add(daysAgo: number, changes: Partial<RunRecord> = {}): Promise<string> {
  const createdAt = new Date(bed.clock.now().getTime() - daysAgo * dayMs);
  number += 1;
  const id = `${encodeTime(createdAt.getTime(), 10)}${String(number).padStart(16, '0')}`;
  await bed.parts.runs.add({
    ...sampleRun(1, { state: 'SUCCEEDED', revision: number, ...changes }),
    id,
    createdAt,
  });
  await appendFile(bed.parts.logs.path(id), 'a line\n');
  return id;
}

async function clean(keepRunsDays = 365, isPostman = true): Promise<void> {
  const { clock, runs, logs } = bed.parts;
  const cleaner = new RunCleaner({
    clock,
    runs,
    logs,
    snapshots: bed.snapshots,
    hold: { isOurs: (host) => ours(host), isPostman: () => isPostman },
    isConfigured: (host) => host === 'web1',
    keepRunsDays: () => keepRunsDays,
    onError: (_, error) => void bed.errors.push(error),
  });
  await cleaner.clean();
  await cleaner.stop();
  expect(bed.errors).toEqual([]);
}

/** The runs that there are, and those that there are logs of; they must be the same. */
async function left(host?: string): Promise<string[]> {
  const all = (await bed.parts.runs.list({})).map(({ id }) => id).sort();
  expect((await bed.parts.logs.ids()).sort()).toEqual(all);
  return host === undefined ? all : (await bed.parts.runs.list({ host })).map(({ id }) => id).sort();
}

async function addNewest(host = 'web1'): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < newestRunsKept; at += 1) ids.push(await add(1, { host }));
  return ids;
}

describe('runs that are older than keep_runs', () => {
  it('go with their logs, but for the one that made a snapshot on record, and for what has not ended', async () => {
    const made = await add(800);
    await bed.snapshots.put(sampleSnapshot('2024-09-13_20-00-05f', { runId: made }));
    await add(700, { state: 'FAILED' });
    const waiting = await add(600, { state: 'QUEUED' });
    await add(366, { kind: 'scrub' });
    const young = await add(364);
    const newest = await addNewest();
    await clean();
    expect(await left()).toEqual([made, waiting, young, ...newest].sort());
  });

  it('go in pages, however many there are', async () => {
    for (let at = 0; at < 450; at += 1) await add(500);
    const newest = await addNewest();
    await clean();
    expect(await left()).toEqual(newest.sort());
  });

  it('stay while they are the newest of their host, and the backups behind newer scrubs', async () => {
    const old = [await add(3000), await add(2000)];
    await clean();
    expect(await left()).toEqual(old);
    const scrubs: string[] = [];
    for (let at = 0; at < newestRunsKept; at += 1) scrubs.push(await add(1000, { kind: 'scrub' }));
    await add(1500, { kind: 'scrub' });
    await clean();
    expect(await left()).toEqual([...old, ...scrubs].sort());
  });

  it('stay where keep_runs is 0', async () => {
    const old = await add(3000);
    const newest = await addNewest();
    await clean(0);
    expect(await left()).toEqual([old, ...newest].sort());
  });

  it('are left to the daemon that has their host, and those of no host to one of all', async () => {
    const gone = await add(500, { host: 'gone' });
    const other = await add(500);
    await addNewest();
    await addNewest('gone');
    ours = () => false;
    await clean(365, false);
    expect(await left()).toEqual(expect.arrayContaining([gone, other]));
    await clean(365, true);
    expect(await left('gone')).toHaveLength(newestRunsKept);
    expect(await left()).toContain(other);
  });
});

it('an old log whose record is gone goes too, a young one may be about to get its record', async () => {
  const log = async (daysAgo: number): Promise<string> => {
    const id = `${encodeTime(bed.clock.now().getTime() - daysAgo * dayMs, 10)}AAAAAAAAAAAAAAAA`;
    await appendFile(bed.parts.logs.path(id), 'a line\n');
    return id;
  };
  await log(400);
  const young = await log(1);
  await clean();
  expect(await bed.parts.logs.ids()).toEqual([young]);
});
