/**
 * Takes connections and hands them on when they are good: not too many at once, not too many of one address, and with
 * TLS only after its handshake, which may not take long. Whoever takes them on closes them.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { networkOf } from '../core/failed-logins.js';
import type { TlsFiles } from './tls-files.js';

/** In milliseconds, each: until the handshake is done, and until the first byte is read after it. */
const handshakeLimitMs = 10_000;
const firstByteLimitMs = 10_000;

export interface ListenerLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/** So that strangers cannot use up the descriptors that the socket needs. */
export const tcpLimits: ListenerLimits = { connections: 400, connectionsPerAddress: 64 };
export const unixLimits: ListenerLimits = { connections: 400, connectionsPerAddress: 400 };

export interface Listener {
  /** 0 on a unix socket. */
  readonly port: number;
  /** Takes no more connections; those that were handed on stay. */
  close(): void;
}

export interface ListenerOptions {
  readonly at: { readonly path: string } | { readonly host: string; readonly port: number };
  /** Null: without TLS. */
  readonly tls: TlsFiles | null;
  readonly limits: ListenerLimits;
  readonly take: (connection: Socket) => void;
}

/** Throws what the system says when it cannot listen there. */
export async function listen({ at, tls, limits, take }: ListenerOptions): Promise<Listener> {
  const admit = admission(limits);
  const server = tls ? secureServer(tls, admit, take) : plainServer(admit, take);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, () => {
      server.off('error', reject);
      // A connection that could not be taken, for example for want of descriptors, is no reason to end.
      server.on('error', () => undefined);
      resolve();
    });
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () => void server.close(),
  };
}

type Admit = (socket: Socket) => boolean;

function plainServer(admit: Admit, take: (connection: Socket) => void): Server {
  return createServer({ noDelay: true }, (socket) => {
    if (!admit(socket)) return;
    expectBytes(socket);
    take(socket);
  });
}

function secureServer(tls: TlsFiles, admit: Admit, take: (connection: Socket) => void): Server {
  const server = createTlsServer({
    ...tls.context(),
    ALPNProtocols: ['h2'],
    handshakeTimeout: handshakeLimitMs,
    requestCert: tls.asksForCertificates,
    // A caller may have a token instead; whether his certificate is good is asked where it counts.
    rejectUnauthorized: false,
  });
  server.prependListener('connection', (socket: Socket) => void admit(socket));
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => undefined);
    const isBad = !socket.authorized && hasCertificate(socket);
    if (socket.alpnProtocol !== 'h2' || isBad) {
      socket.destroy();
      return;
    }
    expectBytes(socket);
    take(socket);
  });
  server.on('tlsClientError', (_, socket) => void socket.destroy());
  tls.onChange((context) => server.setSecureContext(context));
  return server;
}

/** One that was shown but is not good is better refused than passed over. */
function hasCertificate(socket: TLSSocket): boolean {
  return Object.keys(socket.getPeerCertificate()).length > 0;
}

function admission({ connections, connectionsPerAddress }: ListenerLimits): Admit {
  const byAddress = new Map<string, number>();
  let count = 0;
  return (socket) => {
    socket.on('error', () => undefined);
    const address = networkOf(socket.remoteAddress ?? '');
    const ofAddress = byAddress.get(address) ?? 0;
    if (count >= connections || ofAddress >= connectionsPerAddress) {
      socket.destroy();
      return false;
    }
    count += 1;
    byAddress.set(address, ofAddress + 1);
    socket.once('close', () => {
      count -= 1;
      const rest = (byAddress.get(address) ?? 1) - 1;
      if (rest > 0) byAddress.set(address, rest);
      else byAddress.delete(address);
    });
    return true;
  };
}

/** Whoever connects and says nothing is let go. */
function expectBytes(socket: Socket): void {
  const limit = setTimeout(() => {
    if (socket.bytesRead === 0) socket.destroy();
  }, firstByteLimitMs).unref();
  socket.once('close', () => clearTimeout(limit));
}
