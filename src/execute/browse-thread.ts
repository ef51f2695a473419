/** Has snapshots looked into by a thread, so that the event loop stays free, and takes the steps at its own pace. */
import { Worker } from 'node:worker_threads';
import type { Browse, BrowseKind, BrowseWorks } from '../core/browse.js';
import { BusyError, type Facts, type Reason } from '../core/errors.js';

/** What a thread starts with. */
export interface BrowseOrder {
  readonly work: {
    [K in BrowseKind]: { readonly kind: K; readonly task: BrowseWorks[K]['task'] };
  }[BrowseKind];
  /** Its only number counts the batches that were taken. */
  readonly taken: Int32Array;
}

export type BrowseMessage =
  | { readonly kind: 'batch'; readonly batch: readonly BrowseWorks[BrowseKind]['step'][] }
  | { readonly kind: 'done' }
  /** `reason` is null for what the system said. */
  | {
      readonly kind: 'failed';
      readonly reason: Reason | null;
      readonly facts: Facts;
      readonly message: string;
    };

/** Enough for the names of a directory with a million entries. */
const resourceLimits = { maxOldGenerationSizeMb: 512 };

export const browse: Browse = async function* <K extends BrowseKind>(
  kind: K,
  task: BrowseWorks[K]['task'],
  signal: AbortSignal,
) {
  signal.throwIfAborted();
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const order: BrowseOrder = { work: { kind, task } as BrowseOrder['work'], taken };
  const worker = new Worker(new URL('./browse-worker.js', import.meta.url), {
    workerData: order,
    resourceLimits,
  });
  const inbox: BrowseMessage[] = [];
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  let isDone = false;
  let wake = nobodyWaits;
  const put = (message: BrowseMessage): void => {
    isDone ||= message.kind !== 'batch';
    inbox.push(message);
    wake();
  };
  const fail = (text: string): void => put({ kind: 'failed', reason: null, facts: {}, message: text });
  worker.on('message', put);
  worker.on('error', (error) => fail(error instanceof Error ? error.message : String(error)));
  worker.on('exit', () => fail('a thread ended without a result'));
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    for (;;) {
      while (inbox.length === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
      signal.throwIfAborted();
      const message = inbox.shift();
      if (message?.kind === 'batch') {
        yield message.batch;
        Atomics.add(taken, 0, 1);
        Atomics.notify(taken, 0);
      } else if (message?.kind === 'failed') {
        throw message.reason === null
          ? new BusyError('INTERNAL', { what: message.message })
          : new BusyError(message.reason, message.facts);
      } else return;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // One that has done its work closes its files and ends; made to end just then it could leave one open.
    await (isDone ? exited : worker.terminate());
  }
};

function nobodyWaits(): void {}
