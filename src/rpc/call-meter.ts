/** Tells of every call at its end: which it was, how it ended, and how long it took. */
import {
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js';
import type { EndedCall } from '../core/ended-call.js';

/** Only calls that there are come here, so there are no more methods than the contract has. */
export function createCallMeter(note: (call: EndedCall) => void): ServerInterceptor {
  return ({ path, requestStream, responseStream }, inner) => {
    const startedMs = performance.now();
    let hasEnded = false;
    const end = (code: status): void => {
      if (hasEnded) return;
      hasEnded = true;
      note({
        method: path,
        code: status[code] ?? 'UNKNOWN',
        durationMs: performance.now() - startedMs,
        isStream: requestStream || responseStream,
      });
    };
    // Comes at the end of every call; where no status was sent before, its caller has gone.
    const listener = new ServerListenerBuilder().withOnCancel(() => end(status.CANCELLED)).build();
    const responder = new ResponderBuilder()
      .withStart((next) => next(listener))
      .withSendStatus((outcome, next) => {
        end(outcome.code ?? status.OK);
        next(outcome);
      })
      .build();
    return new ServerInterceptingCall(inner, responder);
  };
}
