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
import { readRequest } from './connector-request.js';
import type { Flow } from './flow.js';
import { takeAll, takeInBatches, type TakeBytes } from './output-batch.js';
import type { StartRsync } from './confinement.js';
import type { Ending, LocalProcess } from './process.js';
import { ReportPipe } from './report-pipe.js';
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

/** What a transfer is between, and how the rsync on the server is started. */
export interface TransferEnds {
  readonly host: Host;
  readonly connection: SshConnection;
  readonly startRsync: StartRsync;
}

/** How long a channel may take to close after its rsync has ended. */
const closeMs = 3000;

/**
 * Runs one rsync job. Settles when no process of it is left on the server and the channel has closed. Throws what
 * hinders a start; everything that rsync itself reports is in the answer and in `output`.
 */
export function transfer(
  ends: TransferEnds,
  plan: TransferPlan,
  output: TransferOutput,
  signal: AbortSignal,
): Promise<TransferEnding> {
  const run = ends.host.initiator === 'server' ? pull : receivePush;
  return run(ends, plan, output, signal);
}

function pull(
  { host, connection, startRsync }: TransferEnds,
  plan: TransferPlan,
  output: TransferOutput,
  signal: AbortSignal,
): Promise<TransferEnding> {
  const client = {
    name: host.name,
    args: pullArguments(host, plan),
    input: '',
    startRsync,
    open: (words: readonly string[]) => connection.exec(pullCommand(host, plan, words)),
  };
  return runClient(client, output, signal);
}

/** A local rsync that is the client of another rsync. */
export interface RsyncClient {
  /** Who is at the other side. */
  readonly name: string;
  /** With the connector as its remote shell. */
  readonly args: readonly string[];
  readonly startRsync: StartRsync;
  /** For its standard input. */
  readonly input: string | Buffer;
  /** Starts the other side, by the words that rsync asks its remote shell to run. */
  readonly open: (words: readonly string[]) => Promise<SshChannel>;
}

/** As `transfer`, for a local rsync with whatever arguments. */
export async function runClient(
  { name, args, input, startRsync, open }: RsyncClient,
  output: TransferOutput,
  signal: AbortSignal,
): Promise<TransferEnding> {
  const stop = new AbortController();
  const report = await ReportPipe.open(output.onReport);
  const starting = startRsync(args, AbortSignal.any([signal, stop.signal]), report.writer);
  const rsync = await starting.finally(() => report.letGo());
  let channel: SshChannel | null = null;
  rsync.stdin.end(input);
  takeAll(rsync.stderr, output.onError);
  try {
    const request = await Promise.race([readRequest(rsync.fromProcess, name, signal), neverAfter(rsync)]);
    if (request !== null) {
      channel = await open(request.words);
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
    await report.end();
  }
}

async function receivePush(
  { host, connection, startRsync }: TransferEnds,
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
    const request = await readRequest(channel.stdout, host.name, signal);
    if (request === null) {
      const remote = await endingOf(channel, signal);
      if (remote.code === 0) {
        const detail = 'its rsync ended well, but never began a transfer';
        throw new BusyError('HOST_MISBEHAVED', { host: host.name, detail });
      }
      return { client: remote, local: { code: null, signal: null }, remote };
    }
    const args = receiveArguments(host, plan, request.words);
    rsync = await startRsync(args, AbortSignal.any([signal, stop.signal]));
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
