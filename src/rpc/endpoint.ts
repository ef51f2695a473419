/** Where the daemon listens: `unix:/run/busy/busyd.sock` or `tcp://127.0.0.1:4000`. */
import { BlockList, isIPv6 } from 'node:net';

export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

/**
 * Reads an endpoint. Throws an EndpointError when it is malformed, and when it is a TCP address beyond loopback:
 * calls are neither encrypted nor authenticated, so they may not cross a network.
 */
export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (path.startsWith('/') && !path.includes('\0')) return { kind: 'unix', path };
  }
  const match = /^tcp:\/\/(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port > 65_535) {
    throw new EndpointError(
      `listen: "${text}" is not an endpoint. Use unix:/absolute/path or tcp://127.0.0.1:4000.`,
    );
  }
  // What the name stands for is not asked of a resolver, which could answer anything.
  const address = host === 'localhost' ? '127.0.0.1' : host;
  if (!loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')) {
    throw new EndpointError(
      `listen: "${text}" is not a loopback address. Calls are not encrypted yet, so listen on 127.0.0.1, on [::1] ` +
        'or on a unix socket, and reach it from elsewhere through ssh.',
    );
  }
  return { kind: 'tcp', host: address, port };
}

/** As configurations write it. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.kind === 'unix'
    ? `unix:${endpoint.path}`
    : `tcp://${hostAndPort(endpoint.host, endpoint.port)}`;
}

export function hostAndPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Thrown when the daemon cannot listen where it was told to; the message says what to do. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
}
