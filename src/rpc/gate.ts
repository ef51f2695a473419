/**
 * The gate that every call passes, whatever service it is of: who calls, whether he may, and how much of the daemon he
 * takes. It decides nothing itself. A call is turned away before its request is read where that is possible.
 */
import { isIP } from 'node:net';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerListenerBuilder,
  ResponderBuilder,
} from '@grpc/grpc-js';
import { type Access, type CallerCertificate, shortName } from '../control/access.js';
import type { Audit } from '../control/audit.js';
import { authorize, permissionOf, refuseAtOnce } from '../control/authorization.js';
import type { Caller } from '../core/caller.js';
import { BusyError } from '../core/errors.js';
import { changesSomething } from '../core/permissions.js';
import { networkOf } from '../core/failed-logins.js';
import type { RunRecord } from '../core/run.js';
import { OpenCalls } from './open-calls.js';
import { type RpcLog, toStatus } from './status.js';

/** How long a request may take to arrive, and a single answer to be given, in milliseconds. */
const requestLimitMs = 30_000;
const unaryLimitMs = 900_000;

export interface GateParts {
  readonly access: Pick<Access, 'identify' | 'refresh' | 'confirm'>;
  readonly getRun: (id: string) => Promise<Pick<RunRecord, 'host'>>;
  /** Is told of calls that would have changed something. */
  readonly audit: Pick<Audit, 'turnAway'>;
  readonly log: RpcLog;
}

export interface Gate {
  /** For all calls that come this way. */
  interceptor(way: 'unix' | 'tcp'): ServerInterceptor;
  /** Who makes the call with this metadata, as it was handed to the handler. */
  callerOf(metadata: Metadata): Caller;
  /** Whether he may make this very request. Throws what is to be answered. */
  authorize(method: string, request: object, caller: Caller): Promise<void>;
}

export function createGate({ access, getRun, audit, log }: GateParts): Gate {
  const openCalls = new OpenCalls();
  // Whatever a client sends, it cannot get in here.
  const callers = new WeakMap<Metadata, Caller>();

  /** Answers how to let the caller's place go. Throws what is to be answered. */
  const admit = async (call: Passage, metadata: Metadata): Promise<() => void> => {
    const permission = permissionOf(call.method);
    const address = call.inner.getConnectionInfo().remoteAddress ?? '';
    if (permission.role === 'anyone') return openCalls.take({ address: networkOf(address) });
    const { method, way } = call;
    const [authorization = ''] = metadata.get('authorization').map(String);
    const certificate = certificateOf(call.inner);
    const said = saidAddressOf(metadata);
    const found = await access.identify({ method, way, address, authorization, certificate, ...said });
    if ('refusal' in found) {
      const letGo = openCalls.take({ address: networkOf(address) });
      await call.wait(found.delayMs);
      letGo();
      throw found.refusal;
    }
    refuseAtOnce(method, permission, found.caller);
    callers.set(metadata, { ...found.caller, ...said });
    return openCalls.take(found.caller);
  };

  return {
    interceptor: (way) => (definition, inner) => {
      const method = definition.path;
      const call = new Passage(method, way, inner);
      const fail = (error: unknown): void => inner.sendStatus(toStatus(error, method, log));
      const facts = (ms: number) => ({ method: shortName(method), seconds: String(ms / 1000) });
      const listener = new ServerListenerBuilder()
        .withOnReceiveMetadata((metadata, next) => {
          if (!definition.requestStream) {
            call.limit('request', requestLimitMs, () =>
              fail(new BusyError('REQUEST_TOO_SLOW', facts(requestLimitMs))),
            );
          }
          if (!definition.requestStream && !definition.responseStream) {
            call.limit('answer', unaryLimitMs, () =>
              fail(new BusyError('CALL_TIMED_OUT', facts(unaryLimitMs))),
            );
          }
          const enter = async (): Promise<void> => {
            try {
              call.onEnd(await admit(call, metadata));
              next(metadata);
            } catch (error) {
              fail(error);
              const address = inner.getConnectionInfo().remoteAddress ?? '';
              if (changesSomething(method))
                await audit.turnAway(method, { address, ...saidAddressOf(metadata) }, error);
            }
          };
          void enter();
        })
        .withOnReceiveHalfClose((next) => {
          call.lift('request');
          next();
        })
        .withOnCancel(() => call.end())
        .build();
      const responder = new ResponderBuilder().withStart((next) => next(listener)).build();
      return new ServerInterceptingCall(inner, responder);
    },
    callerOf: (metadata) => {
      const caller = callers.get(metadata);
      if (!caller) throw new BusyError('INTERNAL', { what: 'a call came around the gate' });
      return caller;
    },
    authorize: (method, request, caller) => authorize({ method, request, caller }, getRun),
  };
}

/** A call on its way through the gate: what has to be cleared away when it ends, however it does. */
class Passage {
  readonly method: string;
  readonly way: 'unix' | 'tcp';
  readonly inner: ServerInterceptingCallInterface;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #endings: (() => void)[] = [];
  #hasEnded = false;

  constructor(method: string, way: 'unix' | 'tcp', inner: ServerInterceptingCallInterface) {
    this.method = method;
    this.way = way;
    this.inner = inner;
  }

  limit(name: string, ms: number, onEnd: () => void): void {
    this.#timers.set(name, setTimeout(onEnd, ms).unref());
  }

  lift(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  /** Settles after that time, or when the call has ended. */
  wait(ms: number): Promise<void> {
    if (ms === 0 || this.#hasEnded) return Promise.resolve();
    return new Promise((resolve) => {
      this.limit('delay', ms, resolve);
      this.onEnd(resolve);
    });
  }

  onEnd(ending: () => void): void {
    if (this.#hasEnded) ending();
    else this.#endings.push(ending);
  }

  end(): void {
    this.#hasEnded = true;
    for (const name of this.#timers.keys()) this.lift(name);
    for (const ending of this.#endings.splice(0)) ending();
  }
}

/** With what a gateway says for whom it calls. */
const saidAddressKey = 'busy-browser-address';

/** Nothing else than an address is taken: it ends up in logs. */
function saidAddressOf(metadata: Metadata): { readonly saidAddress?: string } {
  const [said = ''] = metadata.get(saidAddressKey).map(String);
  return isIP(said) === 0 ? {} : { saidAddress: said };
}

/** Only one that was signed by `client_ca`: of others grpc-js says nothing. */
function certificateOf(call: ServerInterceptingCallInterface): CallerCertificate | null {
  const certificate = call.getAuthContext().sslPeerCertificate;
  if (!certificate) return null;
  const name: unknown = certificate.subject?.CN;
  return {
    // A name of several is none.
    name: typeof name === 'string' ? name : '',
    fingerprint: certificate.fingerprint256,
    expiresAt: new Date(certificate.valid_to),
  };
}
