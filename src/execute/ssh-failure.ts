/** What went wrong before an SSH connection stands: the words of ssh2, turned into reasons. */
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { fingerprintOfPin } from './host-key.js';
import { agentFailure, agentKeyRefused } from './ssh-login.js';

/** What a host showed instead of the wanted key; null when something else went wrong. */
export function keyMismatch(message: string, shown: string, types: readonly string[]): string | null {
  if (/verification failed|denied \(verification/i.test(message)) return shown;
  return /no matching (server )?host key/i.test(message) ? `no key of type ${types.join(', ')}` : null;
}

/** Why a host that shows this is not trusted; null when it shows nothing and nothing is pinned. */
export function keyFailure(host: Host, address: string, shown: string): BusyError | null {
  if (host.hostKey !== '') {
    const pinned = fingerprintOfPin(host.hostKey);
    return new BusyError('HOST_KEY_CHANGED', { host: host.name, address, shown, pinned });
  }
  return shown.startsWith('SHA256:') ? new BusyError('HOST_KEY_UNKNOWN', { host: host.name, shown }) : null;
}

/** Turns what ssh2 says before a connection stands into a reason. */
export function connectFailure(host: Host, address: string, error: unknown): BusyError {
  const { message, code, level } = error as Error & { code?: string; level?: string };
  const facts = { host: host.name, address };
  const fail = (reason: 'HOST_UNREACHABLE' | 'CONNECTION_REFUSED' | 'NOT_SSH', detail: string): BusyError =>
    new BusyError(reason, { ...facts, detail }, { cause: error });
  if (level === 'agent') return agentFailure(host, error);
  if (level === 'client-authentication') {
    if (host.identityAgent !== '') return agentKeyRefused(host, error);
    return new BusyError(
      'SSH_KEY_REFUSED',
      { ...facts, identityFile: host.identityFile, user: host.user },
      { cause: error },
    );
  }
  if (code === 'ECONNREFUSED') return fail('CONNECTION_REFUSED', message);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return fail('HOST_UNREACHABLE', 'its name cannot be resolved');
  if (code !== undefined) return fail('HOST_UNREACHABLE', message);
  if (level === 'client-timeout') {
    return fail('HOST_UNREACHABLE', `no answer within ${host.connectTimeoutMs / 1000} seconds`);
  }
  if (/before handshake/i.test(message)) return fail('HOST_UNREACHABLE', 'it closed the connection at once');
  return fail('NOT_SSH', message);
}
