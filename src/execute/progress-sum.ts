/** Adds up what work tells of its progress, so that not every step becomes a message between threads. */
import type { BytePath } from '../core/byte-path.js';

export interface DiskProgress {
  readonly entries: number;
  readonly bytes: number;
  readonly current: BytePath;
}

/** Told after so many entries, bytes or milliseconds, whichever comes first. */
const entriesAtOnce = 1000;
const bytesAtOnce = 4 * 1024 * 1024;
const waitMs = 50;

export class ProgressSum {
  private entries = 0;
  private bytes = 0;
  private current: BytePath = '';
  private toldAt: number;

  /** `now`: milliseconds, from anywhere on. */
  constructor(
    private readonly tell: (progress: DiskProgress) => void,
    private readonly now: () => number,
  ) {
    this.toldAt = now();
  }

  add(more: DiskProgress): void {
    this.entries += more.entries;
    this.bytes += more.bytes;
    this.current = more.current;
    const isMuch = this.entries >= entriesAtOnce || this.bytes >= bytesAtOnce;
    if (isMuch || this.now() - this.toldAt >= waitMs) this.tellAll();
  }

  /** Tells what has not been told yet. */
  tellAll(): void {
    this.toldAt = this.now();
    const { entries, bytes, current } = this;
    this.entries = 0;
    this.bytes = 0;
    this.tell({ entries, bytes, current });
  }
}
