/**
 * Threads that make lines of a manifest beside the one that lists the tree and writes: an entry costs some system calls
 * and its hash, and one processor does not do them faster. They end with the manifest.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { BytePath } from '../core/byte-path.js';
import type { ReadingTools } from './file-content.js';
import { pack, type ManifestBatch } from './manifest-batch.js';
import type { GatheredLines } from './manifest-lines.js';
import type { DiskProgress } from './progress-sum.js';

/** What such a thread starts with. */
export interface HelperOrder {
  readonly root: BytePath;
  /** Of `HashedFiles`. */
  readonly ahead: SharedArrayBuffer | null;
}

export type HelperAnswer =
  | ({ readonly kind: 'progress' } & DiskProgress)
  /** Of the batch that was given to it first of those that it has not answered yet. */
  | { readonly kind: 'lines'; readonly lines: GatheredLines };

const mostHelpers = 2;
/** While it works at one, the next lies there. */
const batchesAtOnce = 2;

interface Helper {
  readonly worker: Worker;
  readonly waiting: Waiting[];
  /** Why nothing more is to be had of it. */
  failure: unknown;
}

interface Waiting {
  readonly resolve: (lines: GatheredLines) => void;
  readonly reject: (error: unknown) => void;
}

export class ManifestHelpers {
  private helpers: Helper[] = [];

  constructor(
    private readonly order: HelperOrder,
    private readonly tools: Pick<ReadingTools, 'check' | 'onProgress'>,
  ) {}

  /** None on a machine with one processor. */
  start(): void {
    const count = Math.min(mostHelpers, availableParallelism() - 1);
    this.helpers = Array.from({ length: count }, () => this.startOne());
  }

  /**
   * What one of them makes of a batch; null when all have enough to do. Rejects when a thread is lost, and with what
   * `check` throws.
   */
  make(batch: ManifestBatch): Promise<GatheredLines> | null {
    const [helper] = this.helpers.toSorted((a, b) => a.waiting.length - b.waiting.length);
    if (!helper || helper.waiting.length >= batchesAtOnce) return null;
    if (helper.failure !== null) return Promise.reject(helper.failure);
    helper.worker.postMessage(pack(batch), []);
    return new Promise((resolve, reject) => helper.waiting.push({ resolve, reject }));
  }

  /** Settles when the threads have ended, whatever they are at. */
  async close(): Promise<void> {
    await Promise.all(this.helpers.map(({ worker }) => worker.terminate()));
  }

  private startOne(): Helper {
    const worker = new Worker(new URL('./manifest-helper.js', import.meta.url), { workerData: this.order });
    const helper: Helper = { worker, waiting: [], failure: null };
    const fail = (error: unknown): void => {
      helper.failure ??= error;
      helper.waiting.forEach(({ reject }) => reject(error));
    };
    worker.on('error', fail);
    worker.on('exit', () => fail(new Error('a thread ended before its work')));
    worker.on('message', (answer: HelperAnswer) => {
      if (answer.kind === 'lines') helper.waiting.shift()?.resolve(answer.lines);
      else this.noteProgress(answer, fail);
    });
    return helper;
  }

  private noteProgress(progress: DiskProgress, fail: (error: unknown) => void): void {
    this.tools.onProgress(progress);
    try {
      this.tools.check();
    } catch (error) {
      fail(error);
    }
  }
}
