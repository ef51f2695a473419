/** Looks at a host without logging in: who answers, and which host key it shows. */
import { connect, type Socket } from 'node:net';
import ssh2, { type ServerHostKeyAlgorithm } from 'ssh2';
import type { ShownKey } from '../core/enrollment.js';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Answer } from '../core/presence.js';
import { fingerprintOf, hostKeyTypes, keyTypesFor, matchesPin, writtenKey } from './host-key.js';
import { connectFailure, keyMismatch } from './ssh-failure.js';

/**
 * What answers on a new connection, as far as a handshake without a login tells; with a pinned fingerprint the types of
 * keys are tried in turn, each on a connection of its own. Never throws.
 */
export async function identifySsh(host: Host, open: () => Socket): Promise<Answer> {
  let shown = '';
  for (const types of keyTypesFor(host.hostKey)) {
    const answer = await shakeHands(host, open(), types);
    if (answer.kind !== 'another key') return answer;
    if (!shown.startsWith('key ')) ({ shown } = answer);
  }
  return { kind: 'another key', shown };
}

function shakeHands(host: Host, sock: Socket, types: readonly ServerHostKeyAlgorithm[]): Promise<Answer> {
  const client = new ssh2.Client();
  let shown = '';
  let isSsh = false;
  return new Promise((resolve) => {
    const finish = (answer: Answer): void => {
      resolve(answer);
      client.destroy();
      sock.destroy();
    };
    client.once('handshake', () => finish({ kind: 'pinned key' }));
    client.on('error', (error: Error & { level?: string }) => {
      const isLate = error.level === 'client-timeout';
      const key = keyMismatch(error.message, shown, types);
      if (!isSsh || isLate) finish({ kind: 'nothing' });
      else if (key === null || host.hostKey === '') finish({ kind: 'ssh' });
      else finish({ kind: 'another key', shown: key === shown ? `key ${key}` : key });
    });
    client.once('close', () => finish({ kind: isSsh ? 'ssh' : 'nothing' }));
    client.connect({
      sock,
      username: host.user,
      readyTimeout: host.connectTimeoutMs,
      algorithms: { serverHostKey: [...types] },
      hostVerifier: (key: Buffer) => {
        shown = fingerprintOf(key);
        return matchesPin(host.hostKey, key);
      },
      debug: (line) => (isSsh ||= identPattern.test(line)),
    });
  });
}

/**
 * The key that a host shows at the first of its addresses that answers; of several keys the pinned one, else the one
 * that is preferred. Throws HOST_UNREACHABLE, CONNECTION_REFUSED or NOT_SSH.
 */
export async function scanHostKey(host: Host): Promise<ShownKey> {
  let failure: unknown;
  for (const address of host.addresses) {
    try {
      return await scanAddress(host, address);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

async function scanAddress(host: Host, address: string): Promise<ShownKey> {
  let first: ShownKey | null = null;
  // Of a pinned type first, so that a pinned key is met wherever it is still shown.
  for (const types of new Set([...keyTypesFor(host.hostKey), ...hostKeyTypes])) {
    const shown = await askForKey(host, address, types);
    if (shown?.isPinned || (shown && host.hostKey === '')) return shown;
    first ??= shown;
  }
  if (first) return first;
  throw new BusyError('NOT_SSH', { host: host.name, address, detail: 'it has no host key of a known type' });
}

/** Null when it has no key of these types. */
function askForKey(
  host: Host,
  address: string,
  types: readonly ServerHostKeyAlgorithm[],
): Promise<ShownKey | null> {
  const client = new ssh2.Client();
  const sock = connect({ host: address, port: host.port });
  const where = `${address} port ${host.port}`;
  return new Promise<ShownKey | null>((resolve, reject) => {
    client.on('error', (error: Error) => {
      if (keyMismatch(error.message, '', types) === null) reject(connectFailure(host, where, error));
      else resolve(null);
    });
    client.once('close', () => reject(connectFailure(host, where, new Error('closed before handshake'))));
    client.connect({
      sock,
      username: host.user,
      readyTimeout: host.connectTimeoutMs,
      algorithms: { serverHostKey: [...types] },
      hostVerifier: (key: Buffer) => {
        resolve({
          address: where,
          hostKey: writtenKey(key),
          fingerprint: fingerprintOf(key),
          isPinned: matchesPin(host.hostKey, key),
          serverAddress: sock.localAddress ?? '',
        });
        return false;
      },
    });
  }).finally(() => {
    client.destroy();
    sock.destroy();
  });
}

/** How ssh2 tells what the server calls itself. */
export const identPattern = /Remote ident: '([^']{0,200})/;
