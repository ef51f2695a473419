/**
 * From plain async functions and generators to the handlers of grpc-js. A stream is written as fast as its reader
 * takes it and no faster, its generator is always ended, and all streams end together when the daemon stops.
 */
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { BusyError } from '../core/errors.js';
import { type RpcLog, toStatus } from './status.js';

/** How many messages may wait for one reader: with 64 KiB of log each, a reader that sleeps costs 256 KiB. */
const messagesInFlight = 4;

export interface CallAdapters {
  unary<Q, A>(handle: (request: Q) => Promise<A>): handleUnaryCall<Q, A>;
  /** The signal is aborted when the caller is gone and when the daemon stops; the generator must then end. */
  serverStream<Q, A>(
    handle: (request: Q, signal: AbortSignal) => AsyncGenerator<A>,
  ): handleServerStreamingCall<Q, A>;
  /** A stream of questions with one answer each, in order. */
  answerEach<Q, A>(answer: (question: Q) => A): handleBidiStreamingCall<Q, A>;
  /** Ends every stream with DAEMON_STOPPING, and refuses new calls so. Unary calls may still be answered. */
  stop(): void;
}

export function createCallAdapters(log: RpcLog): CallAdapters {
  const stopOpenStreams = new Set<() => void>();
  let isStopping = false;

  const runStream = async <A>(
    call: ServerWritableStream<unknown, A>,
    start: (signal: AbortSignal) => AsyncGenerator<A>,
  ): Promise<void> => {
    const abort = new AbortController();
    const fail = (error: unknown): void => {
      call.emit('error', toStatus(error, call.getPath(), log));
      abort.abort();
    };
    const stop = (): void => fail(new BusyError('DAEMON_STOPPING'));
    if (isStopping) return stop();
    call.once('cancelled', () => abort.abort());
    stopOpenStreams.add(stop);
    try {
      // Headers at once: a caller that waits for a first event knows that it is heard.
      call.sendMetadata(new Metadata());
      await send(call, start(abort.signal), abort.signal);
      if (!abort.signal.aborted) call.end();
    } catch (error) {
      // After an abort nobody is left to hear of an error, and generators often end with an AbortError.
      if (!abort.signal.aborted) fail(error);
    } finally {
      stopOpenStreams.delete(stop);
    }
  };

  return {
    unary: (handle) => (call, callback) => {
      const respond = async (): Promise<void> => {
        try {
          if (isStopping) throw new BusyError('DAEMON_STOPPING');
          callback(null, await handle(call.request));
        } catch (error) {
          callback(toStatus(error, call.getPath(), log));
        }
      };
      void respond();
    },
    serverStream: (handle) => (call) => void runStream(call, (signal) => handle(call.request, signal)),
    answerEach: (answer) => (call) => {
      const fail = (error: unknown): void => void call.emit('error', toStatus(error, call.getPath(), log));
      const stop = (): void => fail(new BusyError('DAEMON_STOPPING'));
      if (isStopping) return stop();
      stopOpenStreams.add(stop);
      call.once('close', () => stopOpenStreams.delete(stop));
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
    stop: () => {
      isStopping = true;
      for (const stop of stopOpenStreams) stop();
    },
  };
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
