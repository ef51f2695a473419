/**
 * The bridge: joins a local rsync and an rsync on the host through one channel of an SSH connection that is there
 * already, in both roles. The host never gets a way in to the server: it sees one exec channel, nothing else.
 *
 *   server:  local rsync (receiver, client) -- connector -- [here] -- channel -- rsync --server --sender on the host
 *   client:  local rsync --server (receiver) -- [here] -- channel -- connector -- rsync (sender, client) on the host
 */
import type { Readable, Writable } from 'node:stream';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Flow } from './flow.js';
import { takeAll, takeInBatches, type TakeBytes } from './output-batch.js';
import { startProcess, type Ending, type LocalProcess } from './process.js';
import {
  pullArguments,
  pullCommand,
  pushCommand,
  receiveArguments,
  type TransferPlan,
} from './rsync-args.js';
import type { SshChannel, SshConnection } from './ssh.js';

/** How both ends of a transfer ended. */
export interface TransferEnding {
  /** The rsync that was the client: its exit code decides. When only ours failed: ours. */
  readonly client: Ending;
  /** The rsync on the server, and what ran on the host. */
  readonly local: Ending;
  readonly remote: Ending;
}

export interface TransferOutput {
  /** What rsync says of the transfer: progress, items, statistics; with initiator client also errors. */
  readonly onReport: TakeBytes;
  /** What goes wrong, from either side. */
  readonly onError: TakeBytes;
  /** Bytes went through the bridge. */
  readonly onTraffic: () => void;
  /** Can hold back what comes from the host. */
  readonly flow: Flow;
}

/** How long a channel may take to close after its rsync has ended. */
const closeMs = 3000;

/** Most words and bytes that a request of a connector may have. */
const requestWords = 200;
const requestBytes = 64 * 1024;

/**
 * Runs one rsync job. Settles when no process of it is left on the server and the channel has closed. Throws what
 * hinders a start; everything that rsync itself reports is in the answer and in `output`.
 */
export function transfer(
  host: Host,
  connection: SshConnection,
  plan: TransferPlan,
  output: TransferOutput,
  signal: AbortSignal,
): Promise<TransferEnding> {
  const run = host.initiator === 'server' ? pull : receivePush;
  return run(host, connection, plan, output, signal);
}

async function pull(
  host: Host,
  connection: SshConnection,
  plan: TransferPlan,
  output: TransferOutput,
  signal: AbortSignal,
): Promise<TransferEnding> {
  const stop = new AbortController();
  const rsync = startProcess('rsync', pullArguments(host, plan), AbortSignal.any([signal, stop.signal]));
  let channel: SshChannel | null = null;
  rsync.stdin.end();
  const flushReport = takeInBatches(rsync.stdout, output.onReport);
  takeAll(rsync.stderr, output.onError);
  try {
    const request = await Promise.race([readRequest(rsync.fromProcess, host, signal), neverAfter(rsync)]);
    if (request !== null) {
      channel = await connection.exec(pullCommand(host, plan, request.words));
      takeAll(channel.stderr, output.onError);
      join(channel, rsync.fromProcess, rsync.toProcess, output, signal);
    }
    const local = await rsync.ended;
    const remote = channel
      ? await closeChannel(channel, rsync.fromProcess, signal)
      : { code: null, signal: null };
    return { client: local, local, remote };
  } finally {
    stop.abort();
    channel?.close();
    await rsync.ended.catch(() => {});
    flushReport();
  }
}

async function receivePush(
  host: Host,
  connection: SshConnection,
  plan: TransferPlan,
  output: TransferOutput,
  signal: AbortSignal,
): Promise<TransferEnding> {
  const channel = await connection.exec(pushCommand(host, plan));
  const stop = new AbortController();
  let rsync: LocalProcess | null = null;
  const close = (): void => channel.close();
  signal.addEventListener('abort', close, { once: true });
  const flushReport = takeInBatches(channel.stderr, output.onReport);
  try {
    const request = await readRequest(channel.stdout, host, signal);
    if (request === null) {
      const remote = await endingOf(channel, signal);
      if (remote.code === 0) {
        const detail = 'its rsync ended well, but never began a transfer';
        throw new BusyError('HOST_MISBEHAVED', { host: host.name, detail });
      }
      return { client: remote, local: { code: null, signal: null }, remote };
    }
    const args = receiveArguments(host, plan, request.words);
    rsync = startProcess('rsync', args, AbortSignal.any([signal, stop.signal]));
    takeAll(rsync.stderr, output.onError);
    join(channel, rsync.stdout, rsync.stdin, output, signal);
    const local = await rsync.ended;
    const remote = await closeChannel(channel, rsync.stdout, signal);
    // A host that says all went well is believed only when our own rsync says so too.
    const client = remote.code === 0 && local.code !== 0 ? local : remote;
    return { client, local, remote };
  } finally {
    signal.removeEventListener('abort', close);
    stop.abort();
    channel.close();
    await rsync?.ended.catch(() => {});
    flushReport();
  }
}

/**
 * Both directions, with backpressure. When the connection ends, the process's input ends too, so that rsync notices,
 * and its output is thrown away: a pipe that waits for a reader would keep the process from being seen to end.
 */
function join(
  channel: SshChannel,
  fromProcess: Readable,
  toProcess: Writable,
  output: TransferOutput,
  signal: AbortSignal,
): void {
  channel.stdout.on('data', output.onTraffic);
  fromProcess.on('data', output.onTraffic);
  channel.stdout.pipe(toProcess);
  output.flow.attach(toProcess);
  fromProcess.pipe(channel.stdin);
  const abandon = (): void => {
    fromProcess.unpipe();
    fromProcess.resume();
    toProcess.end();
  };
  signal.addEventListener('abort', abandon, { once: true });
  void channel.ended.finally(() => {
    signal.removeEventListener('abort', abandon);
    abandon();
  });
}

/** After the local rsync has ended nobody reads the channel, so it is drained: else its `close` never comes. */
function closeChannel(channel: SshChannel, fromProcess: Readable, signal: AbortSignal): Promise<Ending> {
  fromProcess.unpipe();
  channel.stdout.unpipe();
  channel.stdout.resume();
  channel.stdin.end();
  return endingOf(channel, signal);
}

/**
 * How the command on the host ended. Unknown when its channel does not close in time: sshd closes it only after the
 * command has ended, so one that hangs keeps it open.
 */
async function endingOf(channel: SshChannel, signal: AbortSignal): Promise<Ending> {
  const patienceMs = signal.aborted ? 0 : closeMs;
  const late = setTimeout(() => channel.close(), patienceMs);
  const abandoned = new Promise<Ending>((resolve) => {
    setTimeout(() => resolve({ code: null, signal: null }), patienceMs + closeMs).unref();
  });
  try {
    return await Promise.race([channel.ended, abandoned]);
  } finally {
    clearTimeout(late);
  }
}

/** Answers null when the process ends before it has asked for anything. */
async function neverAfter(rsync: LocalProcess): Promise<null> {
  await rsync.ended;
  return null;
}

interface ConnectorRequest {
  readonly words: readonly string[];
}

/**
 * Reads what a connector sends first: the number of words and the words, each ended by a NUL. What follows is put
 * back into the stream. Null when the stream ends or `signal` is aborted before. Throws HOST_MISBEHAVED for anything
 * else.
 */
function readRequest(stream: Readable, host: Host, signal: AbortSignal): Promise<ConnectorRequest | null> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const finish = (): void => {
      stream.off('readable', read);
      stream.off('end', end);
      stream.off('close', end);
      signal.removeEventListener('abort', end);
    };
    const end = (): void => {
      finish();
      resolve(null);
    };
    const read = (): void => {
      for (
        let chunk = stream.read() as Buffer | null;
        chunk !== null;
        chunk = stream.read() as Buffer | null
      ) {
        received = Buffer.concat([received, chunk]);
        const parsed = parseRequest(received);
        if (parsed === 'bad') {
          finish();
          const detail =
            'what it sent first is not the request of a connector (does its shell print a greeting?)';
          reject(new BusyError('HOST_MISBEHAVED', { host: host.name, detail }));
          return;
        }
        if (parsed !== null) {
          finish();
          if (parsed.rest.length > 0) stream.unshift(parsed.rest);
          resolve({ words: parsed.words });
          return;
        }
      }
    };
    stream.on('readable', read);
    stream.on('end', end);
    stream.on('close', end);
    // A hanging host ends nothing.
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    else read();
  });
}

function parseRequest(bytes: Buffer): { words: string[]; rest: Buffer } | 'bad' | null {
  let start = bytes.indexOf(0);
  if (start < 0) return bytes.length > 8 ? 'bad' : null;
  const count = Number(bytes.subarray(0, start).toString('latin1'));
  if (!Number.isInteger(count) || count < 1 || count > requestWords) return 'bad';
  const words: string[] = [];
  while (words.length < count) {
    const end = bytes.indexOf(0, start + 1);
    if (end < 0) return bytes.length > requestBytes ? 'bad' : null;
    words.push(bytes.subarray(start + 1, end).toString('utf8'));
    start = end;
  }
  return { words, rest: bytes.subarray(start + 1) };
}
