import { connect, type ClientHttp2Session } from 'node:http2';
import { createConnection } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { HostServiceService } from '../src/gen/busy/v1/host_service.js';
import { percentile } from './statistics.js';

export interface CallTimes {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const warmUpCalls = 50;
/** Whether a message of gRPC is compressed, and how long it is. */
const prefixBytes = 5;

/**
 * How long ListHosts takes until the last byte of its answer has arrived, each call after the answer to the one before.
 * The caller speaks HTTP/2 itself and makes no objects of the answers: a client of JavaScript stops for its own garbage
 * for some 10 ms every other dozen of calls, and that would be all that the slowest calls show.
 */
export async function measureListHosts(socket: string, pageSize: number, calls: number): Promise<CallTimes> {
  return withListHosts(socket, pageSize, async (call) => {
    const timesMs: number[] = [];
    while (timesMs.length < calls) timesMs.push(await call());
    return { p50Ms: percentile(timesMs, 50), p99Ms: percentile(timesMs, 99) };
  });
}

interface Asked {
  readonly socket: string;
  readonly pageSize: number;
  /** From an answer to the next call, so that the calls themselves are no load. */
  readonly pauseMs: number;
}

/** Begins some work and times calls of ListHosts until it has ended. */
export async function askDuring<T>(
  { socket, pageSize, pauseMs }: Asked,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly callsMs: readonly number[] }> {
  return withListHosts(socket, pageSize, async (call) => {
    const done = new AbortController();
    const callsMs: number[] = [];
    const ask = async (): Promise<void> => {
      while (!done.signal.aborted) {
        callsMs.push(await call());
        await setTimeout(pauseMs);
      }
    };
    const [result] = await Promise.all([work().finally(() => done.abort()), ask()]);
    return { result, callsMs };
  });
}

/** Gives a call, which answers its time in milliseconds, on a connection that has had its first ones. */
async function withListHosts<T>(
  socket: string,
  pageSize: number,
  work: (call: () => Promise<number>) => Promise<T>,
): Promise<T> {
  const session = connect('http://localhost', { createConnection: () => createConnection(socket) });
  const { path, requestSerialize, responseDeserialize } = HostServiceService.listHosts;
  const message = requestSerialize({ pageSize, pageToken: '' });
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  const request = Buffer.concat([prefix, message]);
  try {
    const first = await carryOut(session, path, request);
    const { hosts } = responseDeserialize(Buffer.concat(first).subarray(prefixBytes));
    if (hosts.length !== pageSize) throw new Error(`ListHosts answered ${hosts.length} hosts.`);
    for (let warmUp = 1; warmUp < warmUpCalls; warmUp++) await carryOut(session, path, request);
    return await work(async () => {
      const startedAt = performance.now();
      await carryOut(session, path, request);
      return performance.now() - startedAt;
    });
  } finally {
    session.close();
  }
}

/** One call; answers the bytes as they came. */
function carryOut(session: ClientHttp2Session, path: string, request: Buffer): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const pieces: Buffer[] = [];
    let status: unknown;
    stream.on('trailers', (trailers) => (status = trailers['grpc-status']));
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      if (status === '0') resolve(pieces);
      else reject(new Error(`ListHosts ended with status ${String(status)}.`));
    });
    stream.on('error', reject);
    stream.end(request);
  });
}
