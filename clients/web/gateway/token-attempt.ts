/** Tries a token that came with a request, as often as its address may, and says in words why it was not taken. */
import type { ServerResponse } from 'node:http';
import { Code, ConnectError } from '@connectrpc/connect';
import type { LoginAttempts } from './login-attempts.js';

export interface Attempt<T> {
  readonly attempts: LoginAttempts;
  /** Is told of a wrong token; `count`: of how many in a row from that address. */
  readonly onWrongToken: (address: string, count: number) => void;
  /** From where it came. */
  readonly address: string;
  readonly response: ServerResponse;
  /** Uses the token at the daemon. Throws a ConnectError. */
  readonly use: () => Promise<T>;
}

/** Answers what came of it; null: the request has been refused. */
export async function attempt<T>({
  attempts,
  onWrongToken,
  address,
  response,
  use,
}: Attempt<T>): Promise<{ answer: T } | null> {
  const waitMs = attempts.waitMs(address);
  if (waitMs > 0) {
    response.setHeader('retry-after', Math.ceil(waitMs / 1000));
    return refuseAttempt(response, 429, `Too many wrong tokens. Try again in ${Math.ceil(waitMs / 1000)} s.`);
  }
  if (!attempts.begin()) return refuseAttempt(response, 503, 'Too many log in at the moment. Try again.');
  try {
    const answer = await use();
    attempts.succeeded(address);
    return { answer };
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    if (code === Code.PermissionDenied) return refuseAttempt(response, 403, rawMessage);
    if (code !== Code.Unauthenticated)
      return refuseAttempt(response, 502, `The daemon cannot be asked: ${rawMessage}`);
    onWrongToken(address, attempts.failed(address));
    return refuseAttempt(response, 401, rawMessage);
  } finally {
    attempts.end();
  }
}

function refuseAttempt(response: ServerResponse, status: number, text: string): null {
  refuse(response, status, text);
  return null;
}

/** Answers with a status and a sentence. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
