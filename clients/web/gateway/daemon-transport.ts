/** The gRPC connection to the daemon, as the command line has it too. */
import { connect } from 'node:net';
import { createGrpcTransport } from '@connectrpc/connect-node';
import type { Transport } from '@connectrpc/connect';
import { readServerAddress } from '../../server-address.js';

/**
 * `server` is an endpoint as all clients write it; the certificate of one with TLS must come from the CA in `ca` (PEM;
 * without it from one that this machine trusts). Throws a ServerAddressError for anything else.
 */
export function daemonTransport(server: string, ca: string | null): Transport {
  const { target, isTls } = readServerAddress(server, ca !== null);
  const common = {
    // A dead network would look like a silent stream.
    pingIntervalMs: 30_000,
    pingIdleConnection: true,
  };
  if (target.startsWith('unix:')) {
    const path = target.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    return createGrpcTransport({
      ...common,
      baseUrl: 'http://localhost',
      nodeOptions: { createConnection: () => connect(path) },
    });
  }
  if (!isTls) return createGrpcTransport({ ...common, baseUrl: `http://${target}` });
  return createGrpcTransport({
    ...common,
    baseUrl: `https://${target}`,
    nodeOptions: { minVersion: 'TLSv1.2', ...(ca === null ? {} : { ca }) },
  });
}
