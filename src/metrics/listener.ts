/**
 * Serves the metrics by plain HTTP, for a Prometheus on this machine: `/metrics`, to be read, and nothing else. There
 * is neither TLS nor a token, so it listens on loopback alone.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostAndPort, isLoopback, type LoopbackAddress } from '../core/endpoint.js';

export interface MetricsSource {
  readonly contentType: string;
  readonly text: () => Promise<string>;
  /** Hears what no caller is told. */
  readonly onError: (message: string, error: unknown) => void;
}

export interface MetricsListener {
  /** With the real port. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Prometheus asks over one or two connections. */
const mostConnections = 16;

/** Throws as `listen` does, for example EADDRINUSE. Port 0 takes a free one. */
export async function listenForMetrics(
  { host, port }: LoopbackAddress,
  source: MetricsSource,
): Promise<MetricsListener> {
  const limits = {
    headersTimeout: 5000,
    requestTimeout: 5000,
    connectionsCheckingInterval: 5000,
    keepAliveTimeout: 120_000,
    maxHeaderSize: 8192,
  };
  const server = createServer(limits, (request, response) => void answer(request, response, source));
  server.maxConnections = mostConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const bound = hostAndPort({ host, port: (server.address() as AddressInfo).port });
  return { url: `http://${bound}/metrics`, stop: () => stop(server) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { contentType, text, onError }: MetricsSource,
): Promise<void> {
  // A body is not waited for.
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
    response.setHeader('connection', 'close');
  if (!isForThisMachine(request.headers.host ?? ''))
    return refuse(response, 403, 'These metrics are for this machine alone.');
  if ((request.url ?? '').split('?', 1)[0] !== '/metrics')
    return refuse(response, 404, 'There is only /metrics here.');
  if (request.method !== 'GET') {
    response.setHeader('allow', 'GET');
    return refuse(response, 405, 'The metrics can only be read (GET).');
  }
  try {
    const body = await text();
    response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  } catch (error) {
    onError('the metrics could not be collected', error);
    refuse(response, 500, 'The metrics could not be collected; the log of busyd says why.');
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** A page on the Internet whose name is made to lead here brings its own name along. */
function isForThisMachine(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || isLoopback(name);
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
