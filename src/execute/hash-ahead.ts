/**
 * Hashes large files as soon as rsync has written them, in a thread beside the transfer: they are in memory still, and
 * a processor that waits for the network has nothing better to do. What is hashed so need not be read again for the
 * manifest. It is help and no more: what is not hashed ahead, or has changed since, is read when the manifest is made.
 */
import { Worker } from 'node:worker_threads';
import { bytesOf, parseShownPath, type BytePath } from '../core/byte-path.js';
import type { RsyncEvent } from './rsync-output.js';

export type AheadOrder =
  /** `root` is the data of the snapshot; no more is read of it when the only number in `isOver` becomes 1. */
  | { readonly kind: 'begin'; readonly backup: number; readonly root: BytePath; readonly isOver: Int32Array }
  /** Paths below the root, in the order in which rsync deals with them. */
  | { readonly kind: 'hash'; readonly backup: number; readonly paths: readonly BytePath[] }
  /** All is copied: what is known by now is wanted, and no more is hashed but what of its files is being read. */
  | { readonly kind: 'end'; readonly backup: number };

export type AheadAnswer =
  | { readonly kind: 'dealtWith'; readonly backup: number }
  /** Of `HashedFiles`. */
  | { readonly kind: 'hashed'; readonly backup: number; readonly files: SharedArrayBuffer };

/** So many paths of a backup wait at most; the files of others are left to the manifest. */
const mostWaiting = 50_000;
/** Of smaller files the hash is the least that they cost, and handing it on would cost as much. */
const smallest = 64 * 1024;
/** A backup of less is over before a thread has started. */
const leastBytes = 8 * 1024 * 1024;

/** The thread that all backups of a process share. It is there as long as one of them needs it. */
export class AheadThread {
  private worker: Worker | null = null;
  private backupsBegun = 0;
  private readonly backups = new Map<number, (answer: AheadAnswer | null) => void>();

  /** `data`: the directory of the partial snapshot that the source directories are copied into. */
  begin(data: string): HashAhead {
    return new HashAhead(this, this.backupsBegun++, bytesOf(data));
  }

  /** `listen` hears all answers from now on, and null when the thread is lost. */
  enter(backup: number, listen: (answer: AheadAnswer | null) => void): void {
    this.backups.set(backup, listen);
  }

  leave(backup: number): void {
    this.backups.delete(backup);
    if (this.backups.size > 0) return;
    void this.worker?.terminate();
    this.worker = null;
  }

  /** Throws when there is no thread and none can be started. */
  tell(order: AheadOrder): void {
    this.worker ??= this.start();
    this.worker.postMessage(order, []);
  }

  private start(): Worker {
    const worker = new Worker(new URL('./hash-ahead-worker.js', import.meta.url));
    worker.on('message', (answer: AheadAnswer) => this.backups.get(answer.backup)?.(answer));
    const lose = (): void => {
      if (this.worker !== worker) return;
      this.worker = null;
      for (const listen of this.backups.values()) listen(null);
    };
    worker.on('error', lose);
    worker.on('exit', lose);
    return worker;
  }
}

/** What one backup has of the thread. */
export class HashAhead {
  private readonly isOver = new Int32Array(new SharedArrayBuffer(4));
  private state: 'waiting' | 'begun' | 'ended' = 'waiting';
  private held: BytePath[] = [];
  private heldBytes = 0;
  private isToBeSent = false;
  private waiting = 0;
  private hashed: (files: SharedArrayBuffer | null) => void = () => {};

  constructor(
    private readonly thread: AheadThread,
    private readonly backup: number,
    private readonly root: BytePath,
  ) {}

  /** Takes what rsync said when it copied this source directory. */
  hear(source: string, event: RsyncEvent): void {
    if (event.kind !== 'item' || event.size < smallest || !/^[<>]f/.test(event.change)) return;
    const name = parseShownPath(event.path);
    if (name === null || this.state === 'ended' || this.waiting + this.held.length >= mostWaiting) return;
    this.held.push(`${source === '/' ? '' : bytesOf(source)}/${name}`);
    this.heldBytes += event.size;
    if (this.isToBeSent || (this.state === 'waiting' && this.heldBytes < leastBytes)) return;
    this.isToBeSent = true;
    // Together with all else that rsync has said at once.
    queueMicrotask(() => this.send());
  }

  /** What is hashed, for the manifest; null when nothing is. Settles early after `close`. */
  async end(): Promise<SharedArrayBuffer | null> {
    if (this.state !== 'begun') return null;
    const files = await new Promise<SharedArrayBuffer | null>((resolve) => {
      this.hashed = resolve;
      this.tell({ kind: 'end', backup: this.backup });
    });
    this.close();
    return files;
  }

  /** Nothing more of this backup is read. */
  close(): void {
    Atomics.store(this.isOver, 0, 1);
    if (this.state === 'begun') this.thread.leave(this.backup);
    this.state = 'ended';
    this.hashed(null);
  }

  private send(): void {
    const { backup, root, isOver } = this;
    if (this.state === 'ended') return;
    if (this.state === 'waiting') {
      this.state = 'begun';
      this.thread.enter(backup, (answer) => this.take(answer));
      this.tell({ kind: 'begin', backup, root, isOver });
    }
    this.tell({ kind: 'hash', backup, paths: this.held });
    this.waiting += this.held.length;
    this.held = [];
    this.isToBeSent = false;
  }

  /** Where no thread can be started, for want of memory or of tasks, nothing is hashed ahead. */
  private tell(order: AheadOrder): void {
    if (this.state === 'ended') return;
    try {
      this.thread.tell(order);
    } catch {
      this.close();
    }
  }

  private take(answer: AheadAnswer | null): void {
    if (answer === null) this.close();
    else if (answer.kind === 'hashed') this.hashed(answer.files);
    else this.waiting -= 1;
  }
}
