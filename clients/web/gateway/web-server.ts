/** The server that browsers connect to, with bounds, and with TLS where it has a certificate. */
import { createSecureContext } from 'node:tls';
import { readFile, stat } from 'node:fs/promises';
import { createServer as createPlainServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { HttpHandler } from './gateway.js';

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

const limits = { headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 16 * 1024 };
/** So that strangers cannot use up the descriptors: each browser needs a few. */
const mostConnections = 1000;
/** Milliseconds between two looks at the files. */
const lookEveryMs = 5000;

/** `report` is told when other files are in use, or cannot be. Throws what is wrong with them at the start. */
export async function createWebServer(
  files: TlsFiles | null,
  handler: HttpHandler,
  report: (text: string) => void,
): Promise<Server> {
  const server = files ? await secureServer(files, handler, report) : createPlainServer(limits, handler);
  server.maxConnections = mostConnections;
  return server;
}

async function secureServer(
  files: TlsFiles,
  handler: HttpHandler,
  report: (text: string) => void,
): Promise<Server> {
  let context = await readContext(files);
  const server = createTlsServer({ ...limits, ...context }, handler);
  let lastError = '';
  const look = async (): Promise<void> => {
    try {
      const next = await readContext(files);
      lastError = '';
      if (isSame(next, context)) return;
      context = next;
      server.setSecureContext(context);
      report(`a new certificate is in use: ${files.cert}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== lastError) report(`the files of TLS cannot be used, the old ones go on: ${message}`);
      lastError = message;
    }
  };
  const looks = setInterval(() => void look(), lookEveryMs).unref();
  server.once('close', () => clearInterval(looks));
  return server;
}

interface Context {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: 'TLSv1.2';
}

/** Throws when the files are not there, do not belong together, or the key is open to others. */
async function readContext({ cert, key }: TlsFiles): Promise<Context> {
  const { mode } = await stat(key);
  if ((mode & 0o027) !== 0)
    throw new Error(
      `others may read the key ${key} (mode ${(mode & 0o777).toString(8)}); chmod 600 keeps it to its owner`,
    );
  const context = {
    cert: await readFile(cert),
    key: await readFile(key),
    minVersion: 'TLSv1.2',
  } as const;
  createSecureContext(context);
  return context;
}

function isSame(a: Context, b: Context): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key);
}
