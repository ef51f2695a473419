/**
 * From plain async functions and generators to the handlers of grpc-js. A stream is written as fast as its reader
 * takes it and no faster, its generator is always ended, and all streams end together when the daemon stops.
 */
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  status,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import type { Audit, AuditedCall } from '../control/audit.js';
import type { Caller } from '../core/caller.js';
import { BusyError } from '../core/errors.js';
import { changesSomething } from '../core/permissions.js';
import type { Gate } from './gate.js';
import { type RpcLog, toStatus } from './status.js';

/** How many messages may wait for one reader: with 64 KiB of log each, a reader that sleeps costs 256 KiB. */
const messagesInFlight = 4;

export interface CallAdapters {
  /** The signal is aborted when the caller is gone: who only looks may end then, as with an AbortError. */
  unary<Q extends object, A>(
    handle: (request: Q, caller: Caller, signal: AbortSignal) => Promise<A>,
  ): handleUnaryCall<Q, A>;
  /** The signal is aborted when the caller is gone and when the daemon stops; the generator must then end. */
  serverStream<Q extends object, A>(
    handle: (request: Q, signal: AbortSignal, caller: Caller) => AsyncGenerator<A>,
  ): handleServerStreamingCall<Q, A>;
  /** A stream of questions with one answer each, in order. */
  answerEach<Q, A>(answer: (question: Q) => A): handleBidiStreamingCall<Q, A>;
  hasStreams(): boolean;
  /** Ends the streams of callers for whom `confirm` throws, with what it throws. */
  dismiss(confirm: (caller: Caller) => void): void;
  /** Ends every stream with DAEMON_STOPPING, and refuses new calls so. Unary calls may still be answered. */
  stop(): void;
}

/** What stands before every call that is carried out. */
export interface CallGuards {
  readonly gate: Pick<Gate, 'callerOf' | 'authorize'>;
  readonly audit: Pick<Audit, 'begin' | 'refuse'>;
}

export function createCallAdapters({ gate, audit }: CallGuards, log: RpcLog): CallAdapters {
  const openStreams = new Set<OpenStream>();
  let isStopping = false;

  const runStream = async <Q extends object, A>(
    call: ServerWritableStream<Q, A>,
    start: (signal: AbortSignal, caller: Caller) => AsyncGenerator<A>,
  ): Promise<void> => {
    const abort = new AbortController();
    const fail = (error: unknown): void => {
      call.emit('error', toStatus(error, call.getPath(), log));
      abort.abort();
    };
    try {
      if (isStopping) throw new BusyError('DAEMON_STOPPING');
      call.once('cancelled', () => abort.abort());
      await carry(call, { caller: gate.callerOf(call.metadata), fail }, start, abort.signal);
      if (!abort.signal.aborted) call.end();
    } catch (error) {
      // After an abort nobody is left to hear of an error, and generators often end with an AbortError.
      if (!abort.signal.aborted) fail(error);
    }
  };
  const carry = async <Q extends object, A>(
    call: ServerWritableStream<Q, A>,
    open: OpenStream,
    start: (signal: AbortSignal, caller: Caller) => AsyncGenerator<A>,
    signal: AbortSignal,
  ): Promise<void> => {
    openStreams.add(open);
    try {
      await recorded({ method: call.getPath(), request: call.request, caller: open.caller }, async () => {
        if (signal.aborted) return;
        // Headers at once: a caller that waits for a first event knows that it is heard.
        call.sendMetadata(new Metadata());
        await send(call, start(signal, open.caller), signal);
      });
    } finally {
      openStreams.delete(open);
    }
  };

  /** Carries out what the caller may do. What changes something is written down before, and when it has ended. */
  const recorded = async <A>(call: AuditedCall, work: () => Promise<A>): Promise<A> => {
    const isRecorded = changesSomething(call.method, call.request);
    try {
      await gate.authorize(call.method, call.request, call.caller);
    } catch (error) {
      if (isRecorded) await audit.refuse(call, error);
      throw error;
    }
    if (!isRecorded) return work();
    const end = await audit.begin(call);
    try {
      const answer = await work();
      await end(null, answer);
      return answer;
    } catch (error) {
      await end(error);
      throw error;
    }
  };

  return {
    unary: (handle) => (call, callback) => {
      const gone = new AbortController();
      call.once('cancelled', () => gone.abort());
      const respond = async (): Promise<void> => {
        try {
          if (isStopping) throw new BusyError('DAEMON_STOPPING');
          const caller = gate.callerOf(call.metadata);
          const { request } = call;
          const audited = { method: call.getPath(), request, caller };
          callback(null, await recorded(audited, () => handle(request, caller, gone.signal)));
        } catch (error) {
          const isAbort = gone.signal.aborted && error instanceof Error && error.name === 'AbortError';
          callback(isAbort ? { code: status.CANCELLED } : toStatus(error, call.getPath(), log));
        }
      };
      void respond();
    },
    serverStream: (handle) => (call) =>
      void runStream(call, (signal, caller) => handle(call.request, signal, caller)),
    answerEach: (answer) => (call) => {
      const fail = (error: unknown): void => void call.emit('error', toStatus(error, call.getPath(), log));
      if (isStopping) return fail(new BusyError('DAEMON_STOPPING'));
      const open = { caller: gate.callerOf(call.metadata), fail };
      openStreams.add(open);
      call.once('close', () => openStreams.delete(open));
      call.on('drain', () => call.resume());
      call.on('end', () => call.end());
      call.on('data', (question) => {
        try {
          if (!call.write(answer(question))) call.pause();
        } catch (error) {
          fail(error);
        }
      });
    },
    hasStreams: () => openStreams.size > 0,
    dismiss: (confirm) => {
      for (const { caller, fail } of openStreams) {
        try {
          confirm(caller);
        } catch (error) {
          fail(error);
        }
      }
    },
    stop: () => {
      isStopping = true;
      for (const { fail } of openStreams) fail(new BusyError('DAEMON_STOPPING'));
    },
  };
}

interface OpenStream {
  readonly caller: Caller;
  readonly fail: (error: unknown) => void;
}

/** Writes what the generator yields; leaving the loop runs its `finally` blocks. One listener a call, so none leak. */
async function send<A>(
  call: ServerWritableStream<unknown, A>,
  messages: AsyncGenerator<A>,
  signal: AbortSignal,
): Promise<void> {
  const flow: { waiting: number; wake: (() => void) | null } = { waiting: 0, wake: null };
  signal.addEventListener('abort', () => flow.wake?.(), { once: true });
  for await (const message of messages) {
    if (signal.aborted) return;
    flow.waiting++;
    call.write(message, () => {
      flow.waiting--;
      flow.wake?.();
    });
    while (flow.waiting >= messagesInFlight && !signal.aborted) {
      await new Promise<void>((resolve) => {
        flow.wake = resolve;
      });
    }
    if (signal.aborted) return;
  }
}
