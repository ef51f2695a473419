/**
 * Threads that make lines of a manifest beside the one that lists the tree and writes: an entry costs some system calls
 * and its hash, and one processor does not do them faster. They end with the manifest.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { BytePath } from '../core/byte-path.js';
import type { TreeEntry } from '../core/manifest.js';
import type { FileContent, ReadingTools } from './file-content.js';
import { pack, type ManifestBatch, type PackedBatch } from './manifest-batch.js';
import type { GatheredLines } from './manifest-lines.js';
import type { DiskProgress } from './progress-sum.js';

/** What such a thread starts with. */
export interface HelperOrder {
  readonly root: BytePath;
  /** Of `HashedFiles`. */
  readonly ahead: SharedArrayBuffer | null;
}

export type HelperWork =
  | { readonly kind: 'lines'; readonly batch: PackedBatch }
  | { readonly kind: 'contents'; readonly files: readonly TreeEntry[] };

export type HelperResult = GatheredLines | readonly FileContent[];

export type HelperAnswer =
  | ({ readonly kind: 'progress' } & DiskProgress)
  /** Of the work that was given to it first of what it has not answered yet. */
  | { readonly kind: 'done'; readonly result: HelperResult };

const mostHelpers = 2;
/** While it works at one, the next lies there. */
const batchesAtOnce = 2;
/** So few files are read faster than they are handed over. */
const fewFiles = 16;

/** Some of the files that were shared out. */
export interface SharedFiles {
  readonly files: readonly TreeEntry[];
  readonly contents: Promise<readonly FileContent[]>;
}

interface Helper {
  readonly worker: Worker;
  readonly waiting: Waiting[];
  /** Why nothing more is to be had of it. */
  failure: unknown;
}

interface Waiting {
  readonly resolve: (result: HelperResult) => void;
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
    return ask<GatheredLines>(helper, { kind: 'lines', batch: pack(batch) });
  }

  /**
   * Shares files out: what is to be read here, and what each thread will have read of the rest. Rejects as `make`.
   */
  share(files: readonly TreeEntry[]): { readonly own: readonly TreeEntry[]; readonly others: SharedFiles[] } {
    const takers = files.length < fewFiles ? [] : this.helpers;
    const size = Math.ceil(files.length / (takers.length + 1));
    const others = takers.map((helper, index) => {
      const share = files.slice(size * (index + 1), size * (index + 2));
      return {
        files: share,
        contents: ask<readonly FileContent[]>(helper, { kind: 'contents', files: share }),
      };
    });
    return { own: files.slice(0, size), others };
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
      if (answer.kind === 'done') helper.waiting.shift()?.resolve(answer.result);
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

function ask<T extends HelperResult>({ worker, waiting, failure }: Helper, work: HelperWork): Promise<T> {
  if (failure !== null) return Promise.reject(failure);
  worker.postMessage(work, []);
  return new Promise((resolve, reject) => {
    waiting.push({ resolve: resolve as Waiting['resolve'], reject });
  });
}
