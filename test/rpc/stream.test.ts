import { once } from 'node:events';
import { type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import type { LogBatch } from '../../src/control/log-stream.js';
import type { RunView } from '../../src/control/run-events.js';
import { BusyError } from '../../src/core/errors.js';
import type { StreamLogsResponse } from '../../src/gen/busy/v1/backup_service.js';
import { HostServiceService } from '../../src/gen/busy/v1/host_service.js';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { ServerReflectionService } from '../../src/gen/grpc/reflection/v1/reflection.js';
import type { LogSource } from '../../src/rpc/backups.js';
import { call, errorInfoOf, type Running, startServer } from './fixture.js';
import { newGate } from './gate.js';
import { runId, sampleProgress, sampleRun } from './samples.js';

let running: Running;
afterEach(() => running.close());

const log = { runId: runId(1), offset: 0, follow: true };
const batchCount = 10_000;

/** A log on offer: counts what is pulled, and tells when its `finally` has run. */
function offeredLog(lines: readonly string[]): {
  source: LogSource;
  pulled: () => number;
  ended: Promise<void>;
} {
  const ended = newGate();
  let pulled = 0;
  const source: LogSource = async function* () {
    try {
      for (let offset = 0; offset < batchCount; offset++) {
        pulled++;
        yield { offset, lines, nextOffset: offset + 1 };
      }
    } finally {
      ended.open();
    }
  };
  return { source, pulled: () => pulled, ended: ended.opened };
}

/** A log that has nothing to say until its reader is gone. */
function silentLog(): { source: LogSource; started: Promise<void>; ended: Promise<void> } {
  const started = newGate();
  const ended = newGate();
  // oxlint-disable-next-line require-yield
  const source: LogSource = async function* (_, signal): AsyncGenerator<LogBatch> {
    try {
      const gone = once(signal, 'abort');
      started.open();
      await gone;
    } finally {
      ended.open();
    }
  };
  return { source, started: started.opened, ended: ended.opened };
}

async function errorOf(stream: ClientReadableStream<unknown>): Promise<ServiceError> {
  stream.resume();
  const [error] = (await once(stream, 'error')) as [ServiceError];
  return error;
}

describe('StreamLogs', () => {
  it('carries every batch in order and ends', async () => {
    const { source, ended } = offeredLog(['one', 'zoë 😀']);
    running = await startServer({ streamLog: source });
    const got: StreamLogsResponse[] = [];
    const stream = running.client.streamLogs({ ...log, follow: false });
    for await (const batch of stream) got.push(batch);
    expect(got).toHaveLength(batchCount);
    expect(got.map((batch) => batch.offset)).toEqual(
      Array.from({ length: batchCount }, (_, offset) => offset),
    );
    expect(got.at(-1)).toEqual({ offset: batchCount - 1, lines: ['one', 'zoë 😀'], nextOffset: batchCount });
    await ended;
  });

  it('passes the request on, and the error back', async () => {
    const asked: unknown[] = [];
    running = await startServer({
      // oxlint-disable-next-line require-yield
      streamLog: async function* (request): AsyncGenerator<LogBatch> {
        asked.push(request);
        throw new BusyError('OFFSET_OUT_OF_RANGE', { run: request.runId, size: '1', offset: '77' });
      },
    });
    const error = await errorOf(running.client.streamLogs({ runId: runId(1), offset: 77, follow: true }));
    expect(asked).toEqual([{ runId: runId(1), offset: 77, follow: true }]);
    expect(error.code).toBe(status.OUT_OF_RANGE);
    expect(errorInfoOf(error)?.metadata).toMatchObject({ size: '1', offset: '77' });
  });

  it.each([
    ['run_id', { ...log, runId: '' }],
    ['offset', { ...log, offset: -1 }],
  ])('refuses a wrong %s', async (field, request) => {
    running = await startServer();
    const error = await errorOf(running.client.streamLogs(request));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(errorInfoOf(error)?.metadata.field).toBe(field);
  });

  it('is pulled no faster than it is read, and ends when the reader leaves', async () => {
    const { source, pulled, ended } = offeredLog(Array.from({ length: 64 }, () => 'x'.repeat(200)));
    running = await startServer({ streamLog: source });
    const other = await startServer();
    const stream = running.client.streamLogs(log);
    const [first] = (await once(stream, 'data')) as [StreamLogsResponse];
    stream.pause();
    // The other server shares this event loop: its answers prove that this one had its turns.
    for (let turn = 0; turn < 200; turn++) await call(other, HostServiceService.getHost, { name: 'web1' });
    await other.close();
    expect(first.offset).toBe(0);
    expect(pulled()).toBeLessThan(100);
    stream.on('error', () => undefined);
    stream.cancel();
    await ended;
    expect(pulled()).toBeLessThan(100);
  });

  it('ends a generator that waits, when the caller cancels', async () => {
    const { source, started, ended } = silentLog();
    running = await startServer({ streamLog: source });
    const stream = running.client.streamLogs(log);
    const error = errorOf(stream);
    await started;
    stream.cancel();
    await ended;
    expect((await error).code).toBe(status.CANCELLED);
    expect(running.logged).toEqual([]);
  });

  it('ends a generator that waits, at the deadline of the caller', async () => {
    const { source, ended } = silentLog();
    running = await startServer({ streamLog: source });
    const error = await errorOf(running.client.streamLogs(log, { deadline: Date.now() + 50 }));
    expect(error.code).toBe(status.DEADLINE_EXCEEDED);
    await ended;
  });

  it('leaves no listeners behind, however many messages it sends', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    const { source } = offeredLog(['x'.repeat(10_000)]);
    running = await startServer({ streamLog: source });
    const readers = Array.from({ length: 20 }, async () => {
      let count = 0;
      for await (const _ of running.client.streamLogs(log)) if (++count === 200) break;
    });
    await Promise.allSettled(readers);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});

describe('WatchRuns', () => {
  it('sends views with their progress, headers first', async () => {
    const asked: unknown[] = [];
    const go = newGate();
    running = await startServer({
      events: {
        watch: async function* (options): AsyncGenerator<RunView> {
          asked.push(options);
          await go.opened;
          yield { run: sampleRun(1, { state: 'RUNNING' }), progress: sampleProgress };
          yield { run: sampleRun(1), progress: null };
        },
      },
    });
    const stream = running.client.watchRuns({ afterRevision: 5, host: 'web1', runId: '' });
    await once(stream, 'metadata');
    go.open();
    const views = [];
    for await (const { run } of stream) views.push([run?.state, run?.progress?.percent]);
    expect(views).toEqual([
      [RunState.RUNNING, 41],
      [RunState.PARTIAL, undefined],
    ]);
    expect(asked).toEqual([{ afterRevision: 5, host: 'web1', runId: null }]);
  });

  it('refuses a negative revision', async () => {
    running = await startServer();
    const error = await errorOf(running.client.watchRuns({ afterRevision: -1, host: '', runId: '' }));
    expect(errorInfoOf(error)?.metadata.field).toBe('after_revision');
  });
});

describe('a stop of the server', () => {
  it('ends open streams with DAEMON_STOPPING and lets answers under way arrive', async () => {
    const { source, started, ended } = silentLog();
    const probe = newGate();
    const probing = newGate();
    running = await startServer({
      streamLog: source,
      executor: {
        probe: async () => {
          probing.open();
          await probe.opened;
          return { address: 'a', hostKeyFingerprint: '', hostname: '', rsyncVersion: '', sshSoftware: '' };
        },
      },
    });
    const stream = running.client.streamLogs(log);
    const error = errorOf(stream);
    const answer = call(running, HostServiceService.probeHost, { name: 'web1' });
    await Promise.all([started, probing.opened]);
    const stopped = running.server.stop(60_000);
    expect(await error).toMatchObject({ code: status.UNAVAILABLE, details: 'The daemon is stopping.' });
    expect(errorInfoOf(await error)?.reason).toBe('DAEMON_STOPPING');
    await ended;
    probe.open();
    expect((await answer).address).toBe('a');
    await stopped;
    await running.server.stop();
  });

  it('ends a stream of questions that is left open', async () => {
    running = await startServer();
    const { path, requestSerialize, responseDeserialize } = ServerReflectionService.serverReflectionInfo;
    const stream = running.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    stream.write({ host: '', messageRequest: { $case: 'listServices', value: '' } });
    await once(stream, 'data');
    const [[error]] = await Promise.all([
      once(stream, 'error') as Promise<[ServiceError]>,
      running.server.stop(60_000),
    ]);
    expect(errorInfoOf(error)?.reason).toBe('DAEMON_STOPPING');
  });

  it('does not wait for ever for a call that does not end', async () => {
    const probing = newGate();
    const never = (): Promise<never> => {
      probing.open();
      return new Promise(() => undefined);
    };
    running = await startServer({ executor: { probe: never } });
    const answer = call(running, HostServiceService.probeHost, { name: 'web1' });
    const failed = answer.catch((error: ServiceError) => error.code);
    await probing.opened;
    await running.server.stop(10);
    expect([status.UNAVAILABLE, status.CANCELLED, status.INTERNAL]).toContain(await failed);
  });
});
