/** Where the API listens and where the database is: how both are written in the configuration. */
import { quoted } from './quoted.js';
import type { Endpoint } from '../core/endpoint.js';
import { type Reading, readAbsolutePath } from './values.js';

export interface DatabaseAddress {
  readonly kind: 'sqlite';
  /** Absolute file. */
  readonly path: string;
}

/** What the kernel takes as the path of a socket. */
const longestSocketPath = 107;
const loopbackHosts: Readonly<Record<string, string>> = {
  '127.0.0.1': '127.0.0.1',
  '[::1]': '::1',
  localhost: '127.0.0.1',
};

/** Reads `unix:/path` or `tcp://host:port`, where the host is this machine. */
export function readEndpoint(text: string): Reading<Endpoint> {
  if (text.startsWith('unix:')) return readSocket(text.slice('unix:'.length).replace(/^\/\/(?=\/)/, ''));
  const match = /^tcp:\/\/(\[[^\]]*\]|[^:/[\]]*):(\d{1,5})\/?$/.exec(text);
  if (!match) return { wrong: `is ${quoted(text)}, which is no endpoint` };
  const [, host = '', digits] = match;
  const loopback = loopbackHosts[host.toLowerCase()];
  if (loopback === undefined) {
    return {
      wrong: `is ${quoted(text)}: an address that other machines can reach needs TLS, which BUSY cannot serve yet`,
    };
  }
  const port = Number(digits);
  if (port > 65_535) return { wrong: `has the port ${port}, but ports end at 65535` };
  return { value: { kind: 'tcp', host: loopback, port } };
}

/** Reads `sqlite:/path`. */
export function readDatabase(text: string): Reading<DatabaseAddress> {
  const [, scheme = ''] = /^([a-z]+):/i.exec(text) ?? [];
  if (/^(mysql|mariadb)$/i.test(scheme)) {
    return { wrong: `is a ${scheme} address, and BUSY cannot use ${scheme} yet` };
  }
  if (scheme !== 'sqlite') return { wrong: 'does not begin with sqlite:' };
  const path = readAbsolutePath(text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, ''));
  return 'wrong' in path ? path : { value: { kind: 'sqlite', path: path.value } };
}

function readSocket(text: string): Reading<Endpoint> {
  const path = readAbsolutePath(text);
  if ('wrong' in path) return path;
  if (Buffer.byteLength(path.value) > longestSocketPath) {
    return { wrong: `is a path of ${Buffer.byteLength(path.value)} bytes, too long for a socket` };
  }
  return { value: { kind: 'unix', path: path.value } };
}
