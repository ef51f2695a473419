/** Where the API listens and where the database is: how both are written in the configuration. */
import { isIP } from 'node:net';
import { quoted } from './quoted.js';
import type { DatabaseAddress } from '../core/database-address.js';
import { isLoopback, type Endpoint, type LoopbackAddress } from '../core/endpoint.js';
import { type Reading, readAbsolutePath } from './values.js';

/** What the kernel takes as the path of a socket. */
const longestSocketPath = 107;
const namePattern = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i;

/**
 * Reads `unix:/path`, `tcp://host:port` or `tls://host:port`. Beyond this machine TLS is spoken either way.
 */
export function readEndpoint(text: string): Reading<Endpoint> {
  if (text.startsWith('unix:')) return readSocket(text.slice('unix:'.length).replace(/^\/\/(?=\/)/, ''));
  const match = /^(tcp|tls):\/\/(\[[^\]]*\]|[^:/[\]]*):(\d{1,5})\/?$/.exec(text);
  if (!match) return { wrong: `is ${quoted(text)}, which is no endpoint` };
  const [, scheme, written = '', digits] = match;
  const bare = written.replace(/^\[|\]$/g, '').toLowerCase();
  const host = bare === 'localhost' ? '127.0.0.1' : bare;
  const isAddress = isIP(host) === (written.startsWith('[') ? 6 : 4);
  if (!isAddress && (written.startsWith('[') || !namePattern.test(host) || /^[\d.]+$/.test(host)))
    return { wrong: `is ${quoted(text)}, which names no address to listen on` };
  const port = Number(digits);
  if (port > 65_535) return { wrong: `has the port ${port}, but ports end at 65535` };
  return { value: { kind: 'tcp', host, port, isTls: scheme === 'tls' || !isLoopback(host) } };
}

/** Reads `HOST:PORT`, which must be an address of this machine that no other can reach. */
export function readLoopback(text: string): Reading<LoopbackAddress> {
  const endpoint = readEndpoint(`tcp://${text}`);
  if ('wrong' in endpoint || endpoint.value.kind !== 'tcp')
    return { wrong: `is ${quoted(text)}, which is no address with a port` };
  const { host, port } = endpoint.value;
  if (isLoopback(host)) return { value: { host, port } };
  return {
    wrong: `is ${quoted(text)}, which other machines can reach, and here there is neither TLS nor a token`,
  };
}

/** Reads `sqlite:/path` or `mysql://user:password@host:port/name?socket=/path`; no answer repeats what may be a password. */
export function readDatabase(text: string): Reading<DatabaseAddress> {
  const [, scheme = ''] = /^([a-z]+):/i.exec(text) ?? [];
  if (/^(mysql|mariadb)$/i.test(scheme)) return readMysql(text);
  if (scheme !== 'sqlite') return { wrong: 'begins neither with sqlite: nor with mysql:' };
  const path = readAbsolutePath(text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, ''));
  return 'wrong' in path ? path : { value: { kind: 'sqlite', path: path.value } };
}

function readMysql(text: string): Reading<DatabaseAddress> {
  const noAddress = {
    wrong:
      'is no such address (in user and password, characters such as @ : / ? # % stand as %40 and the like; or use mysql_password)',
  };
  try {
    const url = new URL(text);
    const { hostname, port, searchParams } = url;
    const [user, password, name] = [url.username, url.password, url.pathname.slice(1)].map(
      decodeURIComponent,
    );
    const socket = searchParams.get('socket');
    if ([...searchParams.keys()].some((key) => key !== 'socket') || url.hash !== '') return noAddress;
    if (hostname === '' && socket === null) return { wrong: 'names no host' };
    if (!/^[\p{L}\p{N}_$-]{1,64}$/u.test(name ?? '')) return { wrong: 'names no database after the host' };
    const path = readAbsolutePath(socket ?? '/');
    if ('wrong' in path) return { wrong: `has a socket that ${path.wrong}` };
    return {
      value: {
        kind: 'mysql',
        host: decodeURIComponent(hostname).replace(/^\[|\]$/g, '') || 'localhost',
        port: port === '' ? 3306 : Number(port),
        socket: socket === null ? '' : path.value,
        user: user ?? '',
        password: password ?? '',
        passwordVariable: '',
        passwordFile: '',
        name: name ?? '',
      },
    };
  } catch {
    return noAddress;
  }
}

function readSocket(text: string): Reading<Endpoint> {
  const path = readAbsolutePath(text);
  if ('wrong' in path) return path;
  if (Buffer.byteLength(path.value) > longestSocketPath) {
    return { wrong: `is a path of ${Buffer.byteLength(path.value)} bytes, too long for a socket` };
  }
  return { value: { kind: 'unix', path: path.value } };
}
