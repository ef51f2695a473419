import { connect } from 'node:http2';
import { createConnection } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { HostServiceService } from '../src/gen/busy/v1/host_service.js';
import { percentile } from './statistics.js';

export interface CallTimes {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Makes a call; answers how many milliseconds it took until the last byte of the answer had arrived. */
type Call = () => Promise<number>;

const warmUpCalls = 50;
/** Whether a message of gRPC is compressed, and how long it is. */
const prefixBytes = 5;

/** Calls ListHosts again and again, each call after the answer to the one before, on one connection. */
export async function measureListHosts(socket: string, pageSize: number, calls: number): Promise<CallTimes> {
  return withListHosts(socket, pageSize, async (call) => {
    const timesMs: number[] = [];
    while (timesMs.length < calls) timesMs.push(await call());
    return { p50Ms: percentile(timesMs, 50), p99Ms: percentile(timesMs, 99) };
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
      callsMs.push(await call());
      await setTimeout(pauseMs);
    }
    return { result: await working, callsMs };
  });
}

/**
 * Gives a call on a connection that has had its first ones. It speaks HTTP/2 itself and makes no objects of the answers:
 * a client of JavaScript stops for its own garbage for some 10 ms every other dozen of calls, and that would be all that
 * the slowest calls show.
 */
async function withListHosts<T>(
  socket: string,
  pageSize: number,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const { path, requestSerialize, responseDeserialize } = HostServiceService.listHosts;
  const session = connect('http://localhost', { createConnection: () => createConnection(socket) });
  const request = framed(requestSerialize({ pageSize, pageToken: '' }));
  const ask = (): Promise<Buffer[]> =>
    new Promise((resolve, reject) => {
      const headers = {
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      };
      const stream = session.request(headers);
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
  const call = async (): Promise<number> => {
    const startedAt = performance.now();
    await ask();
    return performance.now() - startedAt;
  };
  try {
    const { hosts } = responseDeserialize(Buffer.concat(await ask()).subarray(prefixBytes));
    if (hosts.length !== pageSize) throw new Error(`ListHosts answered ${hosts.length} hosts.`);
    for (let count = 1; count < warmUpCalls; count++) await call();
    return await work(call);
  } finally {
    session.close();
  }
}

/** A message as gRPC sends it. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
