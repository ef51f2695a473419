/**
 * Carries the browser's calls to the daemon: Connect's protocol on this side, gRPC on the other, both typed by the same
 * files. A call has the token of its session and ends on the other side when the browser goes away.
 */
import type {
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  Message,
} from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  createContextKey,
  type ConnectRouter,
  type HandlerContext,
  type Transport,
} from '@connectrpc/connect';
import type { Session } from './sessions.js';

/** Whose call it is. */
export interface Visitor extends Session {
  /** The address of his browser. */
  readonly address: string;
}

/** Who makes a call; null when he is not logged in. */
export const callingVisitor = createContextKey<Visitor | null>(null, { description: 'who makes the call' });

/** What the daemon is told of every call: the token that counts, and for its records from where the browser came. */
export function headersFor({ token, address }: Pick<Visitor, 'token' | 'address'>): Headers {
  return new Headers({ authorization: `Bearer ${token}`, 'busy-browser-address': address });
}

/** Adds a handler for each call of these services. */
export function forwardAll(router: ConnectRouter, services: readonly DescService[], daemon: Transport): void {
  for (const service of services) {
    const handlers = service.methods.map((method) => [method.localName, forward(method, daemon)]);
    router.service(service, Object.fromEntries(handlers));
  }
}

function forward(method: DescMethod, daemon: Transport) {
  switch (method.methodKind) {
    case 'unary':
      return forwardUnary(method as DescMethodUnary, daemon);
    case 'server_streaming':
      return forwardStream(method as DescMethodServerStreaming, daemon);
    case 'client_streaming':
    case 'bidi_streaming':
      throw new Error(`${method.parent.typeName}.${method.name} streams from the browser, which none can`);
    default:
      return method.methodKind satisfies never;
  }
}

function forwardUnary(method: DescMethodUnary, daemon: Transport) {
  return async (request: Message, context: HandlerContext): Promise<Message> => {
    const { headers, signal } = passOn(context);
    try {
      return (await daemon.unary(method, signal, undefined, headers, request)).message;
    } catch (error) {
      throw passedOn(error);
    }
  };
}

function forwardStream(method: DescMethodServerStreaming, daemon: Transport) {
  return async function* (request: Message, context: HandlerContext): AsyncGenerator<Message> {
    const { headers, signal } = passOn(context);
    try {
      yield* (await daemon.stream(method, signal, undefined, headers, once(request))).message;
    } catch (error) {
      throw passedOn(error);
    }
  };
}

/** The call ends on the other side when the browser goes away, and when its session is over. */
function passOn(context: HandlerContext): { readonly headers: Headers; readonly signal: AbortSignal } {
  const visitor = context.values.get(callingVisitor);
  // Without a token the daemon would take the gateway itself for the caller, who may do everything on a unix socket.
  if (visitor === null || visitor.token === '') throw new ConnectError('Log in first.', Code.Unauthenticated);
  return { headers: headersFor(visitor), signal: AbortSignal.any([context.signal, visitor.ended]) };
}

/**
 * What the daemon said goes to the browser as it is, with its details. The headers of its answer do not: they are of the
 * other connection.
 */
function passedOn(error: unknown): ConnectError {
  const { rawMessage, code, details } = ConnectError.from(error);
  const passed = new ConnectError(rawMessage, code);
  passed.details = details;
  return passed;
}

async function* once<T>(message: T): AsyncGenerator<T> {
  yield message;
}
