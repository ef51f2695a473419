/** What every RunStore must do, whatever database is behind it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunStore } from '../../src/core/ports.js';
import type { RunRecord } from '../../src/core/run.js';
import { largest, lookAlikes, runId, sampleRun, stats } from './samples.js';

export interface OpenRunStore {
  readonly runs: RunStore;
  close(): Promise<void>;
}

export function runStoreContract(open: () => Promise<OpenRunStore>): void {
  let opened: OpenRunStore;
  let runs: RunStore;
  beforeEach(async () => {
    opened = await open();
    runs = opened.runs;
  });
  afterEach(() => opened.close());

  const addAll = async (...records: RunRecord[]): Promise<void> => {
    for (const record of records) await runs.add(record);
  };

  describe('one run', () => {
    it('comes back as it was added, with every field set', async () => {
      const run = sampleRun(1, {
        state: 'PARTIAL',
        requestedType: 'incremental',
        type: 'full',
        typeReason: 'There is no "full" one yet — ’tis 😀.',
        startedAt: new Date(1_795_000_000_999),
        endedAt: new Date(8_640_000_000_000_000),
        snapshot: '2026-11-22_20-00-05f',
        error: { reason: 'DISK_FULL', message: 'it\'s "full"; DROP TABLE runs; --', advice: '\\ \n \u0000' },
        jobs: [
          {
            number: 1,
            source: '/home/zoë/😀 "a" \'b\'',
            state: 'PARTIAL',
            error: null,
            exitCode: 24,
            stats,
            missingFiles: [{ path: '/x\\#012', why: 'Permission denied (13)' }],
            missingFileCount: 4_000_000_000,
          },
        ],
        requestId: 'nightly-😀-"1"',
        acceptsChanges: true,
        revision: largest,
      });
      await runs.add(run);
      expect(await runs.get(run.id)).toStrictEqual(run);
      expect(await runs.getByRequestId('nightly-😀-"1"')).toStrictEqual(run);
      expect(await runs.highestRevision()).toBe(largest);
    });

    it('comes back as it was added, with nothing set', async () => {
      const run = sampleRun(1);
      await runs.add(run);
      expect(await runs.get(run.id)).toStrictEqual(run);
    });

    it('is null when there is none', async () => {
      expect(await runs.get(runId(1))).toBeNull();
      expect(await runs.getByRequestId('none')).toBeNull();
      expect(await runs.highestRevision()).toBe(0);
    });

    it('is not added twice, neither by id nor by request id', async () => {
      await runs.add(sampleRun(1, { requestId: 'same' }));
      await expect(runs.add(sampleRun(1))).rejects.toMatchObject({ cause: expect.any(Error) });
      await expect(runs.add(sampleRun(2, { requestId: 'same' }))).rejects.toThrow(
        /refused a request: .*(UNIQUE|Duplicate)/,
      );
      expect(await runs.list({})).toStrictEqual([sampleRun(1, { requestId: 'same' })]);
    });

    it('keeps names of every kind as they are, and takes none for another', async () => {
      const path = '/srv/ \\#377\\#000 %_ \\\\ \u{10ffff} e\u0301 \u00e9 \' " `x`; -- ';
      const job = { number: 1, source: path, state: 'PARTIAL', error: null, exitCode: 23, stats } as const;
      const missingFiles = [{ path, why: 'Permission denied (13)' }];
      const records = lookAlikes.map((host, index) =>
        sampleRun(index + 1, {
          host,
          requestId: host,
          typeReason: path,
          jobs: [{ ...job, missingFiles, missingFileCount: 1 }],
        }),
      );
      await addAll(...records);
      for (const record of records) {
        expect(await runs.getByRequestId(record.host)).toStrictEqual(record);
        expect(await runs.list({ host: record.host })).toStrictEqual([record]);
      }
      expect(await runs.newestOfEachHost('backup')).toHaveLength(lookAlikes.length);
    });

    it('may be large', async () => {
      const missingFiles = Array.from({ length: 200 }, () => ({ path: '/\u{1f600}'.repeat(400), why: 'x' }));
      const job = { number: 1, source: '/', state: 'PARTIAL', error: null, exitCode: 23, stats } as const;
      const run = sampleRun(1, { jobs: [{ ...job, missingFiles, missingFileCount: 200 }] });
      await runs.add(run);
      expect(await runs.get(run.id)).toStrictEqual(run);
    });

    it('may lack a request id as often as wanted', async () => {
      await addAll(sampleRun(1), sampleRun(2));
      expect(await runs.list({})).toHaveLength(2);
    });
  });

  describe('list', () => {
    it('is newest first and filters by host, state, age and revision', async () => {
      await addAll(
        sampleRun(2, { host: 'web2', state: 'RUNNING', revision: 10 }),
        sampleRun(1, { state: 'FAILED', revision: 11 }),
        sampleRun(3, { state: 'QUEUED', revision: 12 }),
      );
      expect(idsOf(await runs.list({}))).toEqual([runId(3), runId(2), runId(1)]);
      expect(idsOf(await runs.list({ host: 'web1' }))).toEqual([runId(3), runId(1)]);
      expect(idsOf(await runs.list({ states: ['RUNNING', 'FAILED'] }))).toEqual([runId(2), runId(1)]);
      expect(idsOf(await runs.list({ states: [] }))).toEqual([]);
      expect(idsOf(await runs.list({ beforeId: runId(3) }))).toEqual([runId(2), runId(1)]);
      expect(idsOf(await runs.list({ afterRevision: 10 }))).toEqual([runId(3), runId(1)]);
      expect(
        idsOf(await runs.list({ host: 'web1', states: ['FAILED'], beforeId: runId(3), limit: 5 })),
      ).toEqual([runId(1)]);
    });

    it('pages without a gap or a double', async () => {
      for (let number = 1; number <= 25; number++) await runs.add(sampleRun(number));
      const seen: string[] = [];
      for (;;) {
        const last = seen.at(-1);
        const page = await runs.list({ limit: 10, ...(last !== undefined && { beforeId: last }) });
        if (page.length === 0) break;
        seen.push(...idsOf(page));
      }
      expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => runId(25 - index)));
    });

    it('knows the newest run of a kind of each host', async () => {
      await addAll(sampleRun(1), sampleRun(2, { host: 'web2' }), sampleRun(3), sampleRun(4, { host: 'a"b' }));
      await addAll(sampleRun(5, { kind: 'verify' }), sampleRun(6, { kind: 'scrub', host: 'web2' }));
      expect(idsOf(await runs.newestOfEachHost('backup'))).toEqual([runId(4), runId(3), runId(2)]);
      expect(idsOf(await runs.newestOfEachHost('scrub'))).toEqual([runId(6)]);
      expect(idsOf(await runs.list({ kind: 'verify' }))).toEqual([runId(5)]);
    });
  });

  describe('move', () => {
    it('changes state, revision and what is given, and nothing else', async () => {
      const run = sampleRun(1, { requestId: 'kept', typeReason: 'kept' });
      await runs.add(run);
      const changes = { startedAt: new Date(1_795_000_001_001), type: 'full' } as const;
      expect(await runs.move(run.id, ['QUEUED'], 'RUNNING', 7, changes)).toBe(true);
      expect(await runs.get(run.id)).toStrictEqual({ ...run, ...changes, state: 'RUNNING', revision: 7 });
      const failure = { reason: 'DISK_FULL', message: 'm', advice: 'a' } as const;
      expect(await runs.move(run.id, ['RUNNING', 'CANCELLING'], 'FAILED', 8, { error: failure })).toBe(true);
      expect((await runs.get(run.id))?.error).toStrictEqual(failure);
    });

    it('can set a value back to nothing', async () => {
      await runs.add(sampleRun(1, { error: { reason: 'DISK_FULL', message: 'm', advice: 'a' } }));
      expect(await runs.move(runId(1), ['QUEUED'], 'RUNNING', 2, { error: null, startedAt: null })).toBe(
        true,
      );
      expect((await runs.get(runId(1)))?.error).toBeNull();
    });

    it('does nothing when the run is in another state or does not exist', async () => {
      const run = sampleRun(1, { state: 'SUCCEEDED' });
      await runs.add(run);
      expect(await runs.move(run.id, ['RUNNING', 'CANCELLING'], 'FAILED', 99, { typeReason: 'late' })).toBe(
        false,
      );
      expect(await runs.move(runId(2), ['RUNNING'], 'FAILED', 99, {})).toBe(false);
      expect(await runs.list({})).toStrictEqual([run]);
    });

    it('lets exactly one of many parallel movers win', async () => {
      await runs.add(sampleRun(1, { state: 'RUNNING' }));
      const movers = Array.from({ length: 20 }, (_, index) =>
        runs.move(runId(1), ['RUNNING'], 'FAILED', 100 + index, { typeReason: `mover ${index}` }),
      );
      const wins = (await Promise.all(movers)).flatMap((won, index) => (won ? [index] : []));
      expect(wins).toHaveLength(1);
      expect(await runs.get(runId(1))).toMatchObject({
        revision: 100 + (wins[0] ?? -1),
        typeReason: `mover ${wins[0]}`,
      });
    });
  });

  it('keeps what 100 parallel writers wrote', async () => {
    const writers = Array.from({ length: 100 }, async (_, index) => {
      await runs.add(sampleRun(index, { host: `web${index}` }));
      await runs.move(runId(index), ['QUEUED'], 'RUNNING', 100 + index, { typeReason: `writer ${index}` });
      return runs.get(runId(index));
    });
    for (const [index, run] of (await Promise.all(writers)).entries()) {
      expect(run).toMatchObject({
        host: `web${index}`,
        revision: 100 + index,
        typeReason: `writer ${index}`,
      });
    }
    expect(await runs.list({ states: ['RUNNING'] })).toHaveLength(100);
    expect(await runs.highestRevision()).toBe(199);
  });

  describe('old runs', () => {
    it('are known by their hosts, and removed when they have ended', async () => {
      await addAll(
        sampleRun(1, { host: 'web1', state: 'SUCCEEDED' }),
        sampleRun(2, { host: 'web1', state: 'RUNNING' }),
        sampleRun(3, { host: 'WEB1', state: 'FAILED' }),
        sampleRun(4, { host: 'web3', state: 'QUEUED' }),
      );
      expect((await runs.hostsBefore(runId(4))).sort()).toEqual(['WEB1', 'web1']);
      expect(await runs.hostsBefore(runId(1))).toEqual([]);
      expect((await runs.known([runId(1), runId(3), runId(9)])).sort()).toEqual([runId(1), runId(3)]);
      await runs.remove([]);
      await runs.remove([1, 2, 4, 9].map(runId));
      expect((await runs.list({})).map(({ id }) => id)).toEqual([4, 3, 2].map(runId));
    });
  });
}

function idsOf(runs: readonly RunRecord[]): string[] {
  return runs.map((run) => run.id);
}
