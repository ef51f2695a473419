/**
 * The HTTP server of the page: its files, the session, and the calls that are carried to the daemon. It keeps nothing on
 * disk and decides nothing: what a user may do is decided by the daemon, by the token that he logged in with.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createContextValues, type Transport } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { sendFiles, sendLog } from './downloads.js';
import { callingVisitor, forwardAll, type Visitor } from './forwarding.js';
import type { LoginAttempts } from './login-attempts.js';
import { sendMetrics } from './metrics.js';
import { answerPage } from './page-answer.js';
import type { PageFile } from './page-files.js';
import { isFromThisPage } from './request-origin.js';
import { services } from './services.js';
import { clearedCookie, newCookie, readCookie } from './session-cookie.js';
import type { Sessions } from './sessions.js';
import { attempt, refuse } from './token-attempt.js';

export interface GatewayParts {
  readonly daemon: Transport;
  readonly sessions: Sessions;
  readonly attempts: LoginAttempts;
  /** Of what fetches metrics: who fails to log in from its address does not lock it out. */
  readonly metricsAttempts: LoginAttempts;
  readonly files: ReadonlyMap<string, PageFile>;
  /** Begins and ends with a slash. */
  readonly basePath: string;
  /** Whether browsers come over TLS, here or at the proxy in front: then the cookie is for TLS only. */
  readonly isSecure: boolean;
  /** Whether a proxy in front says from where browsers come. */
  readonly isBehindProxy: boolean;
  /** Asks the daemon whether it takes a token, for a browser at this address. Throws a ConnectError when not. */
  readonly checkToken: (token: string, address: string) => Promise<void>;
  /** Is told of a wrong token; `count`: of how many in a row from that address. */
  readonly onWrongToken: (address: string, count: number) => void;
  /** Is told of what should not happen. */
  readonly onError: (error: unknown) => void;
}

export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Longest body of a login, in bytes. */
const longestLogin = 4096;
/** As the daemon takes them. */
const longestMessage = 1024 * 1024;

export function createGateway(parts: GatewayParts): HttpHandler {
  const { basePath, sessions, files } = parts;
  const visitorOf = (request: IncomingMessage): Visitor | null => {
    const id = readCookie(request.headers.cookie ?? '', parts);
    const session = id === null ? null : sessions.find(id);
    return session && { ...session, address: addressOf(request, parts.isBehindProxy) };
  };
  const headers = { ...safetyHeaders, ...(parts.isSecure && transportSecurity) };
  const api = connectNodeAdapter({
    routes: (router) => forwardAll(router, services, parts.daemon),
    requestPathPrefix: `${basePath}api`,
    contextValues: (request) =>
      createContextValues().set(callingVisitor, visitorOf(request as IncomingMessage)),
    grpc: false,
    grpcWeb: false,
    readMaxBytes: longestMessage,
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page');
    if (!pathname.startsWith(basePath)) {
      response.writeHead(307, { location: basePath }).end();
      return;
    }
    const path = pathname.slice(basePath.length);
    const visitor = visitorOf(request);
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    if (!isReading && !isFromThisPage(request.headers)) {
      return refuse(response, 403, 'This request did not come from the page itself.');
    }
    if (path.startsWith('api/')) {
      // Before its body is read: strangers make no work.
      if (visitor === null) return refuse(response, 401, 'Log in first.');
      return api(request, response);
    }
    if (path === 'metrics') {
      const address = addressOf(request, parts.isBehindProxy);
      return sendMetrics(request, response, { ...parts, attempts: parts.metricsAttempts, address });
    }
    if (path === 'session') return answerSession(parts, request, response, visitor !== null);
    if (!isReading) return refuse(response, 405, 'This address can only be read.');
    const [, runId] = /^logs\/([0-9A-Z]{26})$/.exec(path) ?? [];
    if (path === 'download' || runId !== undefined) {
      if (request.method !== 'GET') return refuse(response, 405, 'A download can only be read as a whole.');
      if (visitor === null) return refuse(response, 401, 'Log in first.');
      const download = { daemon: parts.daemon, visitor, response };
      return runId === undefined ? sendFiles(searchParams, download) : sendLog(runId, download);
    }
    answerPage(request, response, { files, basePath, path });
  };
  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      parts.onError(error);
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'Internal error.');
    });
  };
}

const safetyHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
};

/** For a year browsers come over TLS only, also when somebody types the address without it. */
const transportSecurity = { 'strict-transport-security': 'max-age=31536000' };

/** GET says whether there is a session, POST with a token as its body makes one, DELETE ends it. */
async function answerSession(
  parts: GatewayParts,
  request: IncomingMessage,
  response: ServerResponse,
  isLoggedIn: boolean,
): Promise<void> {
  switch (request.method ?? '') {
    case 'GET':
      response.writeHead(isLoggedIn ? 204 : 401).end();
      return;
    case 'POST':
      return logIn(parts, request, response);
    case 'DELETE': {
      const id = readCookie(request.headers.cookie ?? '', parts);
      if (id !== null) parts.sessions.close(id);
      response.writeHead(204, { 'set-cookie': clearedCookie(parts) }).end();
      return;
    }
    default:
      refuse(response, 405, 'A session can be read, made and ended.');
  }
}

async function logIn(parts: GatewayParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { sessions, checkToken } = parts;
  const address = addressOf(request, parts.isBehindProxy);
  const token = await readText(request);
  if (token === null) return refuse(response, 413, 'That is too long for a token.');
  if (token === '') return refuse(response, 400, 'A token is needed.');
  const taken = await attempt({ ...parts, address, response, use: () => checkToken(token, address) });
  if (!taken) return;
  const id = sessions.open(token);
  if (id === null) return refuse(response, 503, 'Too many are logged in. Log out elsewhere, and try again.');
  response.writeHead(204, { 'set-cookie': newCookie(id, parts) }).end();
}

/** The last one that a proxy names is the one that it saw itself. */
function addressOf(request: IncomingMessage, isBehindProxy: boolean): string {
  const named = isBehindProxy ? String(request.headers['x-forwarded-for'] ?? '') : '';
  return named.split(',').at(-1)?.trim() || (request.socket.remoteAddress ?? '');
}

/** The body without white space around it; null when it is too long. */
async function readText(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestLogin) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8').trim();
}
