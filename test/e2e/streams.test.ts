import { status, type ClientReadableStream } from '@grpc/grpc-js';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StreamLogsResponse, WatchRunsResponse } from '../../src/gen/busy/v1/backup_service.js';
import { RunPhase, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { reasonOf } from '../helpers/grpc-calls.js';
import { hasEnded, TestBed, until } from '../helpers/test-bed.js';

const inOrder = [RunState.QUEUED, RunState.RUNNING, RunState.SUCCEEDED];

describe('streams', () => {
  let bed: TestBed;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    const source = join(bed.directory, 'source');
    await mkdir(source);
    for (const name of ['a', 'b', 'c']) await writeFile(join(source, name), randomBytes(1_000_000));
    const many = Array.from({ length: 24 }, (_, index) => `/no/such/directory/${index}`);
    await bed.configure([
      bed.hostAt(sshd, { name: 'plain', srcdirs: [source] }),
      bed.hostAt(sshd, { name: 'plain-too', srcdirs: [source] }),
      bed.hostAt(sshd, { name: 'held', srcdirs: [source], bandwidth_limit: '1m' }),
      // Each of these directories leaves some lines in the log.
      bed.hostAt(sshd, { name: 'talking', srcdirs: many, jobs_at_once: 4 }),
    ]);
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  /** Reads a log until its end or until enough has come; answers the lines and where to go on. */
  async function readLog(runId: string, offset: number, follow: boolean, enough = Infinity) {
    const client = bed.backups;
    const lines: string[] = [];
    let nextOffset = offset;
    const stream = client.streamLogs({ runId, offset, follow });
    stream.on('error', () => {});
    try {
      for await (const message of stream) {
        const batch = message as StreamLogsResponse;
        expect(batch.offset).toBe(nextOffset);
        nextOffset = batch.nextOffset;
        lines.push(...batch.lines);
        if (lines.length >= enough) break;
      }
    } finally {
      stream.cancel();
      client.close();
    }
    return { lines, nextOffset };
  }

  async function linesOfFile(runId: string): Promise<string[]> {
    return (await bed.readRunLog(runId)).split('\n').slice(0, -1);
  }

  it('of a log: from its beginning, and from any offset that was answered', async () => {
    const { id } = await bed.backUp('plain');
    const all = await linesOfFile(id);
    expect((await readLog(id, 0, false)).lines).toEqual(all);
    const followed = await readLog(id, 0, true);
    expect(followed.lines).toEqual(all);
    expect(followed.lines.at(-1)).toContain('ended: SUCCEEDED');
    const firstLine = Buffer.byteLength(`${all[0]}\n`);
    expect((await readLog(id, firstLine, false)).lines).toEqual(all.slice(1));
    expect(await readLog(id, followed.nextOffset, true)).toEqual({
      lines: [],
      nextOffset: followed.nextOffset,
    });
  });

  it('of a log that is being written lose nothing over cuts, and repeat nothing', async () => {
    const { id } = await bed.trigger('talking');
    const watched = readLog(id, 0, true);
    const pieces: string[] = [];
    let offset = 0;
    for (let cuts = 0; pieces.at(-1)?.includes(' ended: ') !== true; cuts++) {
      expect(cuts).toBeLessThan(1000);
      const piece = await readLog(id, offset, true, 5);
      pieces.push(...piece.lines);
      offset = piece.nextOffset;
    }
    const all = await linesOfFile(id);
    expect(all.length).toBeGreaterThan(60);
    expect(pieces).toEqual(all);
    expect((await watched).lines).toEqual(all);
  });

  it('of a log answer where it does not reach, and what is no run', async () => {
    const { id } = await bed.backUp('plain');
    const size = Buffer.byteLength(await bed.readRunLog(id));
    const beyond = await readLog(id, size + 1, false).catch((error: unknown) => error);
    expect(beyond).toMatchObject({
      code: status.OUT_OF_RANGE,
      details: expect.stringContaining(`${size} bytes`),
    });
    expect(reasonOf(beyond)).toBe('OFFSET_OUT_OF_RANGE');
    for (const runId of ['01AAAAAAAAAAAAAAAAAAAAAAAA', '../../../etc/passwd']) {
      const unknown = await readLog(runId, 0, true).catch((error: unknown) => error);
      expect(unknown).toMatchObject({ code: status.NOT_FOUND });
      expect(reasonOf(unknown)).toBe('RUN_NOT_FOUND');
    }
  });

  it('of a large log cost a bounded memory when nobody reads, and slow nobody else', async () => {
    const { id } = await bed.backUp('plain');
    const line = `2026-11-22T20:00:00.000Z ${'x'.repeat(174)}\n`;
    const piece = line.repeat(50_000);
    for (let count = 0; count < 12; count++)
      await appendFile(join(bed.directory, 'state/run-logs', `${id}.log`), piece);
    const size = Buffer.byteLength(await bed.readRunLog(id));
    expect(size).toBeGreaterThan(110_000_000);
    await readLog(id, 0, false);
    const before = await memoryBytes(bed.daemonPid());
    const sleepers = Array.from({ length: 20 }, () => {
      const client = bed.backups;
      const stream = client.streamLogs({ runId: id, offset: 0, follow: true });
      stream.on('error', () => {});
      return {
        client,
        stream,
        firstMessage: new Promise<void>((resolve) =>
          stream.once('data', () => resolve(stream.pause() && undefined)),
        ),
      };
    });
    await Promise.all(sleepers.map(({ firstMessage }) => firstMessage));
    const { nextOffset, lines } = await readLog(id, 0, true);
    expect({ nextOffset, count: lines.length }).toEqual({
      nextOffset: size,
      count: (await linesOfFile(id)).length,
    });
    const after = await memoryBytes(bed.daemonPid());
    for (const { client, stream } of sleepers) {
      stream.cancel();
      client.close();
    }
    expect(after - before).toBeLessThan(40_000_000);
  });

  it('of runs tell every state in order, with progress, to every watcher', async () => {
    const client = bed.backups;
    const streams = [1, 2, 3].map(() => client.watchRuns({ afterRevision: 0, host: 'held', runId: '' }));
    const slow = client.watchRuns({ afterRevision: 0, host: 'held', runId: '' }).pause();
    for (const stream of [...streams, slow]) stream.on('error', () => {});
    await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once('metadata', resolve))));
    const watching = streams.map(valuesToEnd);
    const { id } = await bed.trigger('held');
    for (const values of await Promise.all(watching)) {
      expect(values.map((run) => run.id)).toEqual(values.map(() => id));
      expect([...new Set(values.map(({ state }) => state))]).toEqual(inOrder);
      expect(isAscending(values.map(({ revision }) => revision))).toBe(true);
      const copying = values.filter(({ progress }) => progress?.phase === RunPhase.COPY);
      const bytes = copying.map(({ progress }) => progress?.bytesDone ?? 0);
      expect(isAscending(bytes)).toBe(true);
      expect(bytes.some((count) => count > 0 && count < 3_000_000)).toBe(true);
      expect(values.at(-1)).toMatchObject({ state: RunState.SUCCEEDED, progress: undefined });
    }
    const late = await valuesToEnd(slow.resume());
    expect(late.at(-1)).toMatchObject({ id, state: RunState.SUCCEEDED });
    for (const stream of [...streams, slow]) stream.cancel();
    client.close();
  });

  it('of runs go on after a revision: nothing that changed meanwhile is missing', async () => {
    const seen = await bed.backUp('plain');
    const missed = [await bed.backUp('plain'), await bed.backUp('plain-too')];
    const client = bed.backups;
    const stream = client.watchRuns({ afterRevision: seen.revision, host: '', runId: '' });
    stream.on('error', () => {});
    const found: Run[] = [];
    for await (const message of stream) {
      const { run } = message as WatchRunsResponse;
      if (run) found.push(run);
      if (found.length === missed.length) break;
    }
    stream.cancel();
    client.close();
    expect(found.map(({ id, state }) => ({ id, state }))).toEqual(
      missed.map(({ id, state }) => ({ id, state })),
    );
    expect(isAscending(found.map(({ revision }) => revision))).toBe(true);
  });

  it('end with a reason when the daemon stops', async () => {
    const client = bed.backups;
    const { id } = await bed.trigger('held');
    await bed.waitForRun(id, ({ state }) => state === RunState.RUNNING);
    const streams: ClientReadableStream<unknown>[] = [
      client.watchRuns({ afterRevision: 0, host: '', runId: '' }),
      client.streamLogs({ runId: id, offset: 0, follow: true }),
    ];
    const endings = streams.map((stream) => new Promise((resolve) => stream.once('error', resolve)));
    await Promise.all(streams.map((stream) => new Promise((resolve) => stream.once('metadata', resolve))));
    for (const stream of streams) stream.resume();
    expect(await bed.stopDaemon()).toBe(0);
    for (const error of await Promise.all(endings)) {
      expect(error).toMatchObject({ code: status.UNAVAILABLE });
      expect(reasonOf(error)).toBe('DAEMON_STOPPING');
    }
    client.close();
    await until(() => bed.daemonLog().includes('stopped'), 'the last line of the daemon');
  });
});

async function valuesToEnd(stream: ClientReadableStream<WatchRunsResponse>): Promise<Run[]> {
  const values: Run[] = [];
  for await (const message of stream) {
    const { run } = message as WatchRunsResponse;
    if (run) values.push(run);
    if (run && hasEnded(run)) break;
  }
  return values;
}

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] ?? 0));
}

async function memoryBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0);
}
