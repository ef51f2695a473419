/**
 * The one SSH connection of a run. The host is trusted by its pinned key alone:
 * there is no way to connect to a host whose key is unknown or has changed.
 */
import { connect } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import ssh2, { type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from 'ssh2';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { fingerprintOf, keyTypesFor, matchesPin } from './host-key.js';
import { identPattern } from './ssh-handshake.js';
import { readLogin, type Login } from './ssh-login.js';
import { connectFailure, keyFailure, keyMismatch } from './ssh-failure.js';

export interface SshConnection {
  /** The address that was connected to, with its port. */
  readonly address: string;
  /** It ends at the address at which it begins: on this machine, or at a port that is forwarded from it. */
  readonly isLoop: boolean;
  readonly fingerprint: string;
  /** What the server calls itself. */
  readonly software: string;
  /** Starts a command. Throws CONNECTION_LOST. */
  exec(command: string): Promise<SshChannel>;
  /** Settles when the connection has ended, with the reason. */
  readonly closed: Promise<string>;
  /** From now on only `close` ends the connection, no longer the signal that it was made with. */
  surviveAbort(): void;
  close(): void;
}

export interface SshChannel {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the channel has closed; both null when the host gave neither. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  /** Settles when the command has ended; its children may keep the channel open. Never when the connection is lost. */
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  /** Asks the host to signal the command and its children. OpenSSH refuses that to root, and old ones to all. */
  sendSignal(name: 'TERM' | 'KILL'): void;
  /** Closes the channel; the command on the host gets a hang-up. */
  close(): void;
}

/**
 * Connects to a host at one address. Throws HOST_UNREACHABLE, CONNECTION_REFUSED, NOT_SSH, HOST_KEY_UNKNOWN,
 * HOST_KEY_CHANGED or SSH_KEY_REFUSED, or what `readLogin` throws; CANCELLED when `signal` is aborted.
 */
export async function connectSsh(host: Host, address: string, signal: AbortSignal): Promise<SshConnection> {
  const login = await readLogin(host);
  let failure: BusyError | null = null;
  for (const types of keyTypesFor(host.hostKey)) {
    const attempt = await tryToConnect(host, address, login, types, signal);
    if (!(attempt instanceof KeyTypeMismatch)) return attempt;
    // A key that was shown tells more than a type that is not there; the first is the one a host prefers.
    if (!failure?.facts.shown?.startsWith('SHA256:'))
      failure = keyFailure(host, address, attempt.shown) ?? failure;
    if (attempt.isFinal) break;
  }
  throw (
    failure ??
    new BusyError('NOT_SSH', { host: host.name, address, detail: 'it has no host key of a known type' })
  );
}

/** The host shows no key of the wanted type, or another key. */
class KeyTypeMismatch {
  constructor(
    readonly shown: string,
    readonly isFinal: boolean,
  ) {}
}

async function tryToConnect(
  host: Host,
  address: string,
  login: Login,
  types: readonly ServerHostKeyAlgorithm[],
  signal: AbortSignal,
): Promise<SshConnection | KeyTypeMismatch> {
  const client = new ssh2.Client();
  const socket = connect({ host: address, port: host.port });
  const where = `${address} port ${host.port}`;
  let shown = '';
  let software = '';
  let lastError = 'the host closed the connection';
  const closed = new Promise<string>((resolve) => client.once('close', () => resolve(lastError)));
  // An error after the connection stands is told by `closed`.
  client.on('error', (error) => (lastError = error.message));
  const close = (): void => void client.destroy();
  signal.addEventListener('abort', close, { once: true });
  const surviveAbort = (): void => signal.removeEventListener('abort', close);
  void closed.then(surviveAbort);
  const config: ConnectConfig = {
    sock: socket,
    username: host.user,
    ...login,
    readyTimeout: host.connectTimeoutMs,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 4,
    algorithms: {
      serverHostKey: [...types],
      cipher: { prepend: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com'], append: [], remove: [] },
    },
    hostVerifier: (key: Buffer) => {
      shown = fingerprintOf(key);
      return matchesPin(host.hostKey, key);
    },
    debug: (line) => (software = identPattern.exec(line)?.[1] ?? software),
  };
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.once('error', reject);
      client.once('close', () => reject(new Error('Connection lost before handshake')));
      client.connect(config);
    });
  } catch (error) {
    client.destroy();
    if (signal.aborted) throw new BusyError('CANCELLED', {}, { cause: error });
    const message = error instanceof Error ? error.message : String(error);
    const key = keyMismatch(message, shown, types);
    if (key !== null) return new KeyTypeMismatch(key, key === shown && host.hostKey === '');
    if (software === '' && socket.bytesRead > 0) {
      const detail = 'what it sent has no greeting of an SSH server';
      throw new BusyError('NOT_SSH', { host: host.name, address: where, detail }, { cause: error });
    }
    throw connectFailure(host, where, error);
  }
  return {
    address: where,
    isLoop: socket.localAddress === socket.remoteAddress,
    fingerprint: shown,
    software,
    closed,
    surviveAbort,
    close,
    exec: (command) => openChannel(client, host, command, closed),
  };
}

function openChannel(
  client: ssh2.Client,
  host: Host,
  command: string,
  closed: Promise<string>,
): Promise<SshChannel> {
  return new Promise((resolve, reject) => {
    const lost = (detail: string): void =>
      reject(new BusyError('CONNECTION_LOST', { host: host.name, detail }));
    void closed.then(lost);
    try {
      client.exec(command, (error, channel) => {
        if (error) lost(error.message);
        else resolve(toChannel(channel));
      });
    } catch (error) {
      lost(error instanceof Error ? error.message : String(error));
    }
  });
}

function toChannel(channel: ClientChannel): SshChannel {
  let code: number | null = null;
  let signal: string | null = null;
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    channel.on('exit', (exitCode: number | null, exitSignal?: string) => {
      code = exitCode;
      signal = exitSignal ?? null;
      resolve({ code, signal });
    });
  });
  channel.on('error', () => {});
  channel.stderr.on('error', () => {});
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    channel.once('close', () => resolve({ code, signal }));
  });
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    ended,
    exited,
    sendSignal: (name) => sendSignal(channel as unknown as ChannelInside, name),
    close: () => channel.close(),
  };
}

interface ChannelInside {
  readonly outgoing: { readonly id: number; readonly state: string };
  readonly _client: { readonly _protocol: { signal(channel: number, name: string): void } };
}

/** The `signal` of ssh2 itself sends nothing once our side has said all, although servers take it then too. */
function sendSignal(
  { outgoing, _client: { _protocol: protocol } }: ChannelInside,
  name: 'TERM' | 'KILL',
): void {
  if (outgoing.state === 'open' || outgoing.state === 'eof') protocol.signal(outgoing.id, name);
}
