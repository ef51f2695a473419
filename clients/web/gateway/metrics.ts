/** Answers `metrics`, for a Prometheus that may be elsewhere: with the token of the request, never with a session. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createClient, type Transport } from '@connectrpc/connect';
import { DaemonService } from '../gen/busy/v1/daemon_service_pb.js';
import { headersFor } from './forwarding.js';
import { attempt, type Attempt, refuse } from './token-attempt.js';

export interface MetricsParts extends Pick<Attempt<string>, 'attempts' | 'onWrongToken' | 'address'> {
  readonly daemon: Transport;
}

export async function sendMetrics(
  request: IncomingMessage,
  response: ServerResponse,
  parts: MetricsParts,
): Promise<void> {
  if (request.method !== 'GET') return refuse(response, 405, 'The metrics can only be read (GET).');
  // Without one the daemon would take the gateway itself for the caller.
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined) {
    response.setHeader('www-authenticate', 'Bearer');
    return refuse(response, 401, 'A token is needed: Authorization: Bearer TOKEN.');
  }
  const headers = headersFor({ token, address: parts.address });
  const use = async (): Promise<string> =>
    (await createClient(DaemonService, parts.daemon).getMetrics({}, { headers })).text;
  const taken = await attempt({ ...parts, response, use });
  if (!taken) return;
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  response.end(taken.answer);
}
