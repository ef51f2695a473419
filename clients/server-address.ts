/** Where the daemon is, as users write it: `unix:PATH`, `HOST:PORT`, `tcp://HOST:PORT` or `tls://HOST:PORT`. */
import { isIPv4 } from 'node:net';
import { usageError } from './cli-error.js';

export interface ServerAddress {
  /** As grpc-js takes it. */
  readonly target: string;
  /** Always beyond this machine: a token must not cross a network in the clear. */
  readonly isTls: boolean;
}

/** `wantsTls`: files of TLS were named. Anything else than an address is a usage error. */
export function readServerAddress(text: string, wantsTls: boolean): ServerAddress {
  if (/^unix:.+$/.test(text)) {
    if (!wantsTls) return { target: text, isTls: false };
    throw usageError(
      'A unix socket has no TLS.',
      'Leave out --ca, --cert and --key, or name another --server.',
    );
  }
  const match = /^(?:(tcp|tls):\/\/)?((\[[0-9a-fA-F:.]+\]|[^\s/:]+):\d{1,5})$/.exec(text);
  const [, scheme, target, host] = match ?? [];
  if (target !== undefined && host !== undefined)
    return { target, isTls: scheme === 'tls' || wantsTls || !isLoopback(host) };
  throw usageError(
    `"${text}" is not an endpoint.`,
    'Give --server or BUSY_SERVER as unix:PATH, HOST:PORT or tls://HOST:PORT, for example unix:/run/busy/busyd.sock.',
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}
