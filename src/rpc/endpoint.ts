/** Which endpoints may be served: calls are neither encrypted nor authenticated, so they may not cross a network. */
import { BlockList, isIP } from 'node:net';
import { formatEndpoint, type Endpoint } from '../core/endpoint.js';

/** Thrown when the daemon cannot listen where it was told to; the message says what to do. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/** Throws an EndpointError for a TCP address beyond loopback. A name counts as beyond: a resolver could say anything. */
export function refuseBeyondLoopback(endpoint: Endpoint): void {
  if (endpoint.kind === 'unix') return;
  const family = isIP(endpoint.host);
  if (family !== 0 && loopback.check(endpoint.host, family === 6 ? 'ipv6' : 'ipv4')) return;
  throw new EndpointError(
    `listen: "${formatEndpoint(endpoint)}" is not a loopback address. Calls are not encrypted yet, so listen on ` +
      '127.0.0.1, on [::1] or on a unix socket, and reach it from elsewhere through ssh.',
  );
}
