/**
 * Hostile clients. Each attack goes on until it is told to stop, opens connections anew when it loses them, and leaves
 * none behind. They attack this machine and nothing else: another target is refused here, in the one place that connects.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, isIPv4, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  callHeaders,
  endHeaders,
  endStream,
  frame,
  frameTypes,
  greeting,
  grpcMessage,
  preface,
} from './http2-frames.js';

export interface Target {
  readonly host: string;
  readonly port: number;
  /** Where the attacker comes from; also of this machine. */
  readonly from: string;
  /** Of a role that may only see. */
  readonly token: string;
}

export type Attack = (target: Target, signal: AbortSignal) => Promise<void>;

const { data, headers, priority, reset, settings, ping, windowUpdate, continuation } = frameTypes;
const listHosts = '/busy.v1.HostService/ListHosts';
const watchRuns = '/busy.v1.BackupService/WatchRuns';
const watchHealth = '/grpc.health.v1.Health/Watch';
const reflection = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
const megabyte = Buffer.alloc(1024 * 1024);

export const attacks: Readonly<Record<string, Attack>> = {
  'bytes without sense': manyTimes(4, async (socket) => {
    if (randomInt(2) === 0) await write(socket, preface);
    await write(socket, randomBytes(randomInt(1, 50_000)));
  }),
  'frames without sense': manyTimes(4, async (socket, _, signal) => {
    await write(socket, greeting());
    await flood(socket, signal, () =>
      frame(randomInt(12), {
        flags: randomInt(256),
        stream: randomInt(9),
        payload: randomBytes(randomInt(64)),
        ...(randomInt(4) === 0 && { length: randomInt(100_000) }),
      }),
    );
  }),
  'connections that say nothing': manyTimes(100, (socket) => closed(socket)),
  'half a greeting': manyTimes(100, async (socket) => {
    await write(socket, preface.subarray(0, 5));
    await closed(socket);
  }),
  'messages without end': calls(8, listHosts, () => [
    grpcMessage(megabyte, { length: 0xffff_ffff }),
    megabyte,
  ]),
  'messages that become large': calls(4, listHosts, () => [grpcMessage(bomb, { isCompressed: true })], {
    'grpc-encoding': 'gzip',
  }),
  'headers without end': manyTimes(4, async (socket, _, signal) => {
    await write(socket, greeting());
    await write(socket, frame(headers, { stream: 1, payload: callHeaders(listHosts) }));
    const more = callHeaders('/', { x: 'x'.repeat(10_000) });
    await flood(socket, signal, () => frame(continuation, { stream: 1, payload: more }));
  }),
  'large headers': manyStreams(4, watchHealth, { x: 'x'.repeat(15_000) }),
  'streams without end': manyStreams(16, watchRuns, {}),
  'questions without end': manyStreams(8, reflection, {}),
  'health watched by strangers': manyStreams(16, watchHealth, { authorization: '' }),
  'wrong tokens': manyStreams(8, listHosts, { authorization: 'Bearer busy_aaaaaaaaaaaa_wrong' }),
  'streams that are reset at once': manyTimes(4, async (socket, target, signal) => {
    await write(socket, greeting());
    let stream = -1;
    const block = callHeaders(watchRuns, { authorization: `Bearer ${target.token}` });
    const cancel = Buffer.from([0, 0, 0, 8]);
    await flood(socket, signal, () => {
      stream += 2;
      return Buffer.concat([
        frame(headers, { stream, flags: endHeaders, payload: block }),
        frame(reset, { stream, payload: cancel }),
      ]);
    });
  }),
  'pings whose answers nobody reads': floodOf(frame(ping, { payload: Buffer.alloc(8) }), false),
  pings: floodOf(frame(ping, { payload: Buffer.alloc(8) }), true),
  'settings whose answers nobody reads': floodOf(frame(settings), false),
  settings: floodOf(frame(settings), true),
  priorities: floodOf(frame(priority, { stream: 1, payload: Buffer.from([0, 0, 0, 3, 9]) }), true),
  windows: floodOf(frame(windowUpdate, { payload: Buffer.from([0, 0, 0, 1]) }), true),
  'empty data': calls(4, watchRuns, () => []),
  'readers that do not read': manyTimes(16, async (socket, target, signal) => {
    socket.pause();
    await write(socket, greeting(0));
    for (let stream = 1; stream < 200 && !signal.aborted; stream += 2)
      await open(socket, stream, target, listHosts);
    await closed(socket);
  }),
};

type Work = (socket: Socket, target: Target, signal: AbortSignal) => Promise<void>;

/** So many connections at a time, each followed by another when it ends. */
function manyTimes(count: number, work: Work): Attack {
  return async (target, signal) => {
    const sockets = new Set<Socket>();
    const stop = (): void => sockets.forEach((socket) => socket.destroy());
    signal.addEventListener('abort', stop, { once: true });
    const again = async (): Promise<void> => {
      while (!signal.aborted) {
        const socket = connectTo(target);
        sockets.add(socket);
        try {
          await heard(socket, 'connect');
          await work(socket, target, signal);
        } catch {
          // What the daemon does to it is its right; so is refusing it.
        } finally {
          sockets.delete(socket);
          socket.destroy();
        }
        await turn();
      }
    };
    await Promise.all(Array.from({ length: count }, again));
    signal.removeEventListener('abort', stop);
  };
}

function floodOf(bytes: Buffer, isRead: boolean): Attack {
  const many = Buffer.concat(Array.from({ length: 100 }, () => bytes));
  return manyTimes(4, async (socket, _, signal) => {
    if (!isRead) socket.pause();
    await write(socket, greeting());
    await flood(socket, signal, () => many);
  });
}

/** Each connection opens as many streams as it can and keeps them. */
function manyStreams(count: number, path: string, more: Readonly<Record<string, string>>): Attack {
  return manyTimes(count, async (socket, target, signal) => {
    await write(socket, greeting());
    for (let stream = 1; stream < 2000 && !signal.aborted; stream += 2)
      await open(socket, stream, target, path, more);
    await closed(socket);
  });
}

/** Each connection opens streams whose requests are these bytes, again and again. */
function calls(
  count: number,
  path: string,
  request: () => readonly Buffer[],
  more: Readonly<Record<string, string>> = {},
): Attack {
  return manyTimes(count, async (socket, target, signal) => {
    await write(socket, greeting());
    for (let stream = 1; stream < 100 && !signal.aborted; stream += 2) {
      const block = callHeaders(path, { authorization: `Bearer ${target.token}`, ...more });
      await write(socket, frame(headers, { stream, flags: endHeaders, payload: block }));
      const bytes = Buffer.concat([...request()]);
      if (bytes.length === 0) for (let i = 0; i < 200; i++) await write(socket, frame(data, { stream }));
      for (let from = 0; from < bytes.length; from += 16_384)
        await write(socket, frame(data, { stream, payload: bytes.subarray(from, from + 16_384) }));
    }
    await closed(socket);
  });
}

async function open(
  socket: Socket,
  stream: number,
  { token }: Target,
  path: string,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const block = callHeaders(path, { authorization: `Bearer ${token}`, ...more });
  await write(
    socket,
    Buffer.concat([
      frame(headers, { stream, flags: endHeaders, payload: block }),
      frame(data, {
        stream,
        flags: path === reflection ? 0 : endStream,
        payload: grpcMessage(Buffer.alloc(0)),
      }),
    ]),
  );
}

async function flood(socket: Socket, signal: AbortSignal, next: () => Buffer): Promise<void> {
  while (!signal.aborted) {
    await write(socket, next());
    await turn();
  }
}

/** As fast as the daemon takes it. */
async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (socket.destroyed) throw new Error('the connection is gone');
  if (!socket.write(bytes)) await heard(socket, 'drain');
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, 'close');
}

/** Settles with an event, or when the connection is closed, and leaves no listener behind. */
async function heard(socket: Socket, event: 'connect' | 'drain'): Promise<void> {
  if (socket.closed) return;
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(socket, event, { signal }), once(socket, 'close', { signal })]);
  } finally {
    settled.abort();
  }
}

function connectTo({ host, port, from }: Target): Socket {
  for (const address of [host, from])
    if (!isIPv4(address) || !address.startsWith('127.')) throw new Error(`${address} is not this machine`);
  const socket = createConnection({ host, port, localAddress: from });
  socket.on('error', () => undefined);
  socket.resume();
  return socket;
}
