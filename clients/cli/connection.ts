/** The way to the daemon: one channel for all services. The only file of the client that talks gRPC. */
import {
  Client,
  credentials,
  Metadata,
  type ChannelCredentials,
  type ClientReadableStream,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import type { ServerAddress } from '../server-address.js';
import { fromServiceError } from './call-error.js';
import { usageError } from './cli-error.js';
import type { Login } from './login.js';

/** Milliseconds after which a call without an answer is given up, where the caller does not say otherwise. */
const callTimeoutMs = 30_000;
const readyStepMs = 250;

export interface ConnectionOptions {
  readonly address: ServerAddress;
  readonly login: Login;
  /** Ends all calls. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/** Opens no connection yet; the first call does. */
export class Connection {
  readonly endpoint: string;
  readonly #client: Client;
  readonly #signal: AbortSignal;
  readonly #now: () => Date;
  readonly #token: string;

  constructor({ address, login, signal, now }: ConnectionOptions) {
    this.endpoint = address.target;
    this.#signal = signal;
    this.#now = now;
    this.#token = login.token;
    this.#client = new Client(address.target, channelCredentials(address, login), {
      // A backup server on the local network is not reached through a web proxy from the environment.
      'grpc.enable_http_proxy': 0,
      // The metrics of some thousand hosts need more than the default of 4 MiB.
      'grpc.max_receive_message_length': 64 * 1024 * 1024,
      'grpc.initial_reconnect_backoff_ms': 250,
      'grpc.max_reconnect_backoff_ms': 5_000,
      // A stream may be silent for hours; without pings a dead network would look the same.
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
    });
  }

  /** One question, one answer. Throws CliError, or the reason of the signal. */
  call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    timeoutMs: number = callTimeoutMs,
  ): Promise<Response> {
    this.#signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method;
      const deadline = this.#now().getTime() + timeoutMs;
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata(),
        { deadline },
        (error, response) => {
          this.#signal.removeEventListener('abort', cancel);
          if (error === null) resolve(response as Response);
          else if (this.#signal.aborted) reject(abortReason(this.#signal));
          else reject(fromServiceError(error, this.endpoint, timeoutMs));
        },
      );
      const cancel = (): void => call.cancel();
      this.#signal.addEventListener('abort', cancel, { once: true });
    });
  }

  /** One question, many answers; leaving the loop or aborting a signal cancels the call. Throws as `call` does. */
  async *stream<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    signal: AbortSignal = this.#signal,
  ): AsyncGenerator<Response, void, undefined> {
    signal.throwIfAborted();
    const { path, requestSerialize, responseDeserialize } = method;
    const call: ClientReadableStream<Response> = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      this.#metadata(),
    );
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    // The cancel below makes the call report an error that nobody waits for any more.
    call.on('error', () => undefined);
    try {
      for await (const message of call as AsyncIterable<Response>) yield message;
    } catch (error) {
      signal.throwIfAborted();
      throw isServiceError(error) ? fromServiceError(error, this.endpoint, null) : error;
    } finally {
      signal.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  /** Waits for the connection, but not longer than to a time (milliseconds since 1970). Throws when aborted. */
  async becomesReady(deadline: number): Promise<boolean> {
    for (;;) {
      this.#signal.throwIfAborted();
      const now = this.#now().getTime();
      // grpc-js keeps the process alive for the whole of a wait, also after close: so wait in short steps.
      const isReady = await this.#waitForReady(Math.min(deadline, now + readyStepMs));
      if (isReady || now >= deadline) return isReady;
    }
  }

  close(): void {
    this.#client.close();
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    if (this.#token !== '') metadata.set('authorization', `Bearer ${this.#token}`);
    return metadata;
  }

  #waitForReady(deadline: number): Promise<boolean> {
    return new Promise((resolve) => {
      this.#client.waitForReady(deadline, (error) => resolve(error === undefined));
    });
  }
}

function channelCredentials({ isTls }: ServerAddress, { ca, certificate }: Login): ChannelCredentials {
  if (!isTls) return credentials.createInsecure();
  try {
    return credentials.createSsl(ca, certificate?.key ?? null, certificate?.cert ?? null);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw usageError(
      `The files of --ca, --cert and --key cannot be used: ${what}.`,
      'They are PEM files, as busyd make-cert makes them.',
    );
  }
}

function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
}
