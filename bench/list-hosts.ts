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
 * How long ListHosts takes until the last byte of its answer has arrived. The caller speaks HTTP/2 itself and makes no
 * objects of the answers: a client of JavaScript stops for its own garbage for some 10 ms every other dozen of calls,
 * and that would be all that the slowest calls show.
 */
export async function measureListHosts(socket: string, pageSize: number, calls: number): Promise<CallTimes> {
  const timesMs = await timeListHosts(socket, pageSize, calls);
  return { p50Ms: percentile(timesMs, 50), p99Ms: percentile(timesMs, 99) };
}

/** The time of each call in milliseconds; each begins `pauseMs` after the answer to the one before. */
export async function timeListHosts(
  socket: string,
  pageSize: number,
  calls: number,
  pauseMs = 0,
): Promise<number[]> {
  const session = connect('http://localhost', { createConnection: () => createConnection(socket) });
  const timesMs: number[] = [];
  const { path, requestSerialize, responseDeserialize } = HostServiceService.listHosts;
  const message = requestSerialize({ pageSize, pageToken: '' });
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  const request = Buffer.concat([prefix, message]);
  try {
    for (let call = 0; call < warmUpCalls + calls; call++) {
      if (pauseMs > 0) await setTimeout(pauseMs);
      const startedAt = performance.now();
      const answer = await carryOut(session, path, request);
      if (call >= warmUpCalls) timesMs.push(performance.now() - startedAt);
      if (call > 0) continue;
      const { hosts } = responseDeserialize(Buffer.concat(answer).subarray(prefixBytes));
      if (hosts.length !== pageSize) throw new Error(`ListHosts answered ${hosts.length} hosts.`);
    }
  } finally {
    session.close();
  }
  return timesMs;
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
