/**
 * Hashes large contents in threads of their own, while the thread that reads them goes on: of all that reading an archive
 * back takes, hashing takes longest.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** A piece of a content, or null at its end. */
export interface HashOrder {
  readonly id: number;
  readonly piece: Uint8Array | null;
}

/** So many bytes are hashed; `sha256` in hex when that was all. */
export interface HashAnswer {
  readonly id: number;
  readonly bytes: number;
  readonly sha256: string | null;
}

/** One content that is hashed. */
export interface ThreadHash {
  /** Takes a copy of `piece`. To be awaited before the next piece when it answers a promise: too much is waiting. */
  update(piece: Uint8Array): Promise<void> | undefined;
  /** SHA-256 in hex. Throws when the thread has died. */
  digest(): Promise<string>;
}

interface Thread {
  readonly worker: Worker;
  /** So many contents are not asked for their hash yet. */
  open: number;
  readonly digests: Map<number, { resolve: (sha256: string) => void; reject: (error: Error) => void }>;
}

/** More would only wait for the one that decompresses. One is busy with the file itself all the time. */
const mostThreads = 1 + Math.min(4, availableParallelism());
const mostWaitingBytes = 16 * 1024 * 1024;

export class HashThreads {
  private readonly threads: Thread[] = [];
  private nextId = 0;
  private waitingBytes = 0;
  private readonly waiters: (() => void)[] = [];
  private failure: Error | null = null;

  /** `isIdle`: others go first on the processor. Threads are started when they are needed. */
  constructor(
    private readonly isIdle: boolean,
    private readonly count = mostThreads,
  ) {}

  begin(): ThreadHash {
    const id = this.nextId++;
    const thread = this.idlest();
    thread.open += 1;
    return {
      update: (piece) => {
        this.waitingBytes += piece.length;
        // A copy of the piece alone: what is sent of a view is all that lies under it, a megabyte for a few bytes.
        const own = new Uint8Array(piece);
        thread.worker.postMessage({ id, piece: own } satisfies HashOrder, [own.buffer]);
        return this.waitingBytes > mostWaitingBytes ? this.room() : undefined;
      },
      digest: () =>
        new Promise((resolve, reject) => {
          if (this.failure) return reject(this.failure);
          thread.open -= 1;
          thread.digests.set(id, { resolve, reject });
          thread.worker.postMessage({ id, piece: null } satisfies HashOrder, []);
        }),
    };
  }

  /** Whatever is not hashed by now is given up. */
  async close(): Promise<void> {
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }

  private idlest(): Thread {
    if (this.threads.length < this.count) this.threads.push(this.start());
    return this.threads.reduce((best, thread) => (thread.open < best.open ? thread : best));
  }

  private start(): Thread {
    const worker = new Worker(new URL('./hash-worker.js', import.meta.url), {
      workerData: this.isIdle ? 'idle' : '',
    });
    const thread: Thread = { worker, open: 0, digests: new Map() };
    worker.on('message', ({ id, bytes, sha256 }: HashAnswer) => {
      this.waitingBytes -= bytes;
      if (sha256 !== null) {
        thread.digests.get(id)?.resolve(sha256);
        thread.digests.delete(id);
      }
      if (this.waitingBytes <= mostWaitingBytes) this.letGo();
    });
    worker.on('error', (error) => this.fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => this.fail(new Error('a thread that hashes has ended')));
    return thread;
  }

  private room(): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { digests } of this.threads) {
      for (const { reject } of digests.values()) reject(this.failure);
      digests.clear();
    }
    this.letGo();
  }

  private letGo(): void {
    for (const goOn of this.waiters.splice(0)) goOn();
  }
}
