/** The gRPC connection to the daemon, as the command line has it too. */
import { connect } from 'node:net';
import { createGrpcTransport } from '@connectrpc/connect-node';
import type { Transport } from '@connectrpc/connect';

/**
 * `server` is `unix:PATH`, `tcp://HOST:PORT`, `HOST:PORT`, or `tls://HOST:PORT`, whose certificate must come from the CA
 * in `ca` (PEM; without it from one that this machine trusts). Throws an Error with a sentence for anything else.
 */
export function daemonTransport(server: string, ca: string | null): Transport {
  const common = {
    // A dead network would look like a silent stream.
    pingIntervalMs: 30_000,
    pingIdleConnection: true,
  };
  if (server.startsWith('unix:') && server.length > 5) {
    const path = server.slice(5);
    return createGrpcTransport({
      ...common,
      baseUrl: 'http://localhost',
      nodeOptions: { createConnection: () => connect(path) },
    });
  }
  const [, scheme = 'tcp', address = ''] = /^(?:(tcp|tls):\/\/)?(.+:\d{1,5})$/.exec(server) ?? [];
  if (address === '')
    throw new Error(
      `"${server}" is not an endpoint. Give --server as unix:PATH, tcp://HOST:PORT or tls://HOST:PORT.`,
    );
  const host = address.slice(0, address.lastIndexOf(':'));
  if (scheme === 'tcp' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(host))
    throw new Error(
      `"${server}" would carry tokens in the clear: beyond loopback give --server as tls://HOST:PORT.`,
    );
  if (scheme === 'tcp') return createGrpcTransport({ ...common, baseUrl: `http://${address}` });
  return createGrpcTransport({
    ...common,
    baseUrl: `https://${address}`,
    nodeOptions: { minVersion: 'TLSv1.2', ...(ca === null ? {} : { ca }) },
  });
}
