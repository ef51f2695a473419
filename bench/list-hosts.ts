import { setTimeout } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { HostServiceService } from '../src/gen/busy/v1/host_service.js';
import { callMethod } from '../test/helpers/grpc-calls.js';
import { percentile } from './statistics.js';

export interface CallTimes {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Until the answer had arrived as bytes, before the client made objects of it. */
  readonly arrivedP99Ms: number;
}

interface Call {
  readonly tookMs: number;
  readonly arrivedAfterMs: number;
}

const warmUpCalls = 50;

/** Calls ListHosts again and again, each call after the answer to the one before, on one connection. */
export async function measureListHosts(socket: string, pageSize: number, calls: number): Promise<CallTimes> {
  return withListHosts(socket, pageSize, async (call) => {
    const made: Call[] = [];
    while (made.length < calls) made.push(await call());
    const times = made.map(({ tookMs }) => tookMs);
    return {
      p50Ms: percentile(times, 50),
      p99Ms: percentile(times, 99),
      arrivedP99Ms: percentile(
        made.map(({ arrivedAfterMs }) => arrivedAfterMs),
        99,
      ),
    };
  });
}

/**
 * Begins some work and calls ListHosts until it has ended, each call `pauseMs` after the answer to the one before, so
 * that the calls themselves are no load.
 */
export async function askDuring<T>(
  {
    socket,
    pageSize,
    pauseMs,
  }: { readonly socket: string; readonly pageSize: number; readonly pauseMs: number },
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly callsMs: readonly number[] }> {
  return withListHosts(socket, pageSize, async (call) => {
    const done = new AbortController();
    const working = work().finally(() => done.abort());
    const callsMs: number[] = [];
    while (!done.signal.aborted) {
      callsMs.push((await call()).tookMs);
      await setTimeout(pauseMs);
    }
    return { result: await working, callsMs };
  });
}

/** Gives a call on a connection that has had its first ones. */
async function withListHosts<T>(
  socket: string,
  pageSize: number,
  work: (call: () => Promise<Call>) => Promise<T>,
): Promise<T> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  let arrivedAt = 0;
  const listHosts = {
    ...HostServiceService.listHosts,
    responseDeserialize: (bytes: Buffer) => {
      arrivedAt = performance.now();
      return HostServiceService.listHosts.responseDeserialize(bytes);
    },
  };
  const call = async (): Promise<Call> => {
    const startedAt = performance.now();
    const { hosts } = await callMethod(client, listHosts, { pageSize, pageToken: '' });
    const tookMs = performance.now() - startedAt;
    if (hosts.length !== pageSize) throw new Error(`ListHosts answered ${hosts.length} hosts.`);
    return { tookMs, arrivedAfterMs: arrivedAt - startedAt };
  };
  try {
    for (let warmUp = 0; warmUp < warmUpCalls; warmUp++) await call();
    return await work(call);
  } finally {
    client.close();
  }
}
