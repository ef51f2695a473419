/** Reaching a host: the first of its addresses that answers with the right identity, and what is installed there. */
import { isIP } from 'node:net';
import { BusyError, toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { connectSsh, type SshConnection } from './ssh.js';

export interface ReachedHost {
  readonly connection: SshConnection;
  /** What `hostname` printed; empty when the key does not allow the command. */
  readonly hostname: string;
  /** For example "3.2.7"; empty when the key does not allow the command or there is no rsync. */
  readonly rsyncVersion: string;
  /** Why rsync cannot be started there, when the host said so. */
  readonly isRsyncMissing: boolean;
}

/** How long the host may take for each of the two short questions. */
const questionMs = 10_000;
const longestAnswer = 64 * 1024;

/**
 * Connects and checks who answers. Throws what `connectSsh` throws, HOSTNAME_MISMATCH or CONNECTION_LOST; with
 * several addresses HOST_KEY_CHANGED, which nothing may hide, or else the first error of one that was there.
 */
export async function reachHost(host: Host, signal: AbortSignal): Promise<ReachedHost> {
  let failure: BusyError | null = null;
  for (const address of host.addresses) {
    try {
      return await reachAddress(host, address, signal);
    } catch (error) {
      if (signal.aborted) throw new BusyError('CANCELLED', {}, { cause: error });
      const next = toBusyError(error);
      if (failure === null || weight(next) > weight(failure)) failure = next;
    }
  }
  throw (
    failure ??
    new BusyError('HOST_UNREACHABLE', { host: host.name, address: '(none)', detail: 'it has no address' })
  );
}

function weight({ reason }: BusyError): number {
  if (reason === 'HOST_KEY_CHANGED') return 2;
  return reason === 'HOST_UNREACHABLE' ? 0 : 1;
}

async function reachAddress(host: Host, address: string, signal: AbortSignal): Promise<ReachedHost> {
  const connection = await connectSsh(host, address, signal);
  try {
    // Both at once: each costs the host a process, and a short backup is mostly waiting for these.
    const [hostname, version] = await Promise.all([
      ask(connection, 'hostname'),
      ask(connection, `${host.rsyncPath.join(' ')} --version`),
    ]);
    if (hostname.code === 0 && !isSameHostname(host.hostname, hostname.text)) {
      throw new BusyError('HOSTNAME_MISMATCH', {
        host: host.name,
        address: connection.address,
        expected: host.hostname,
        shown: hostname.text.slice(0, 100),
      });
    }
    return {
      connection,
      hostname: hostname.code === 0 ? hostname.text : '',
      rsyncVersion: /version (\d+\.\d+[\w.]*)/.exec(version.text)?.[1] ?? '',
      isRsyncMissing: version.code === 127,
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * Whether the host is who it should be. Nothing is compared when no hostname is configured, or one that says
 * nothing (`localhost`, an address). A short name equals a long one that begins with it.
 */
export function isSameHostname(expected: string, shown: string): boolean {
  if (expected === '' || expected === 'localhost' || isIP(expected) !== 0) return true;
  const [a, b] = [expected.toLowerCase(), shown.toLowerCase()];
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

async function ask(
  connection: SshConnection,
  command: string,
): Promise<{ code: number | null; text: string }> {
  const channel = await connection.exec(command);
  let late: NodeJS.Timeout | undefined;
  // The channel of a command that hangs does not close, whatever is asked of it.
  const unanswered = new Promise<{ code: null }>((resolve) => {
    late = setTimeout(() => resolve({ code: null }), questionMs);
  });
  let text = '';
  channel.stdout.on('data', (bytes: Buffer) => {
    if (text.length < longestAnswer) text += bytes.toString('utf8');
  });
  channel.stderr.resume();
  channel.stdin.end();
  try {
    const lost = connection.closed.then(() => ({ code: null }));
    const { code } = await Promise.race([channel.ended, lost, unanswered]);
    return { code, text: text.trim() };
  } finally {
    clearTimeout(late);
    channel.close();
  }
}
