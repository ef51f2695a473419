/** Where the daemon is, as users of all clients write it: `unix:PATH`, `HOST:PORT`, `tcp://HOST:PORT` or `tls://HOST:PORT`. */
import { isIPv4 } from 'node:net';

export interface ServerAddress {
  /** As grpc-js takes it: `unix:PATH` or `HOST:PORT`. */
  readonly target: string;
  /** Always beyond this machine: a token must not cross a network in the clear. */
  readonly isTls: boolean;
}

/** Thrown for what is no address that can be used; says what to write instead. */
export class ServerAddressError extends Error {
  override readonly name = 'ServerAddressError';

  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

/** `wantsTls`: files of TLS were named. Throws a ServerAddressError. */
export function readServerAddress(text: string, wantsTls: boolean): ServerAddress {
  if (/^unix:.+$/.test(text)) {
    if (!wantsTls) return { target: text, isTls: false };
    throw new ServerAddressError(
      'A unix socket has no TLS.',
      'Leave out the files of TLS (--ca, --cert, --key), or name another --server.',
    );
  }
  const match = /^(?:(tcp|tls):\/\/)?((\[[0-9a-fA-F:.]+\]|[^\s/:]+):\d{1,5})$/.exec(text);
  const [, scheme, target, host] = match ?? [];
  if (target !== undefined && host !== undefined)
    return { target, isTls: scheme === 'tls' || wantsTls || !isLoopback(host) };
  throw new ServerAddressError(
    `"${text}" is not an endpoint.`,
    'Give --server or BUSY_SERVER as unix:PATH, HOST:PORT or tls://HOST:PORT, for example unix:/run/busy/busyd.sock.',
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));
}
