/**
 * Writes that must not be lost while the database is away: they are kept in memory, in their order, and made when it
 * is back. What depends on them waits until they are made, so nobody reads or writes behind their back. What a daemon
 * that ends meanwhile has kept is not lost either: the disk has it, and the recovery of the next start reads the disk.
 */
import { isDatabaseAway } from '../core/errors.js';

type Write = () => Promise<unknown>;

export class PendingWrites {
  private readonly waiting: Write[] = [];
  private flushing: Promise<void> | null = null;

  /** `onError` is told of a write that the database refuses when it is back. */
  constructor(private readonly onError: (message: string, error: unknown) => void) {}

  /** How many writes wait. */
  get count(): number {
    return this.waiting.length;
  }

  /**
   * Makes a write, or keeps it while the database is away and answers `assumed`. It must do no harm when it is made
   * twice: of one that broke off nobody knows whether it was made. Throws what the database says against it.
   */
  async keep<T>(write: () => Promise<T>, assumed: T): Promise<T> {
    if (this.waiting.length === 0) {
      try {
        return await write();
      } catch (error) {
        if (!isDatabaseAway(error)) throw error;
      }
    }
    this.waiting.push(write);
    return assumed;
  }

  /** Does what must not overtake the writes that wait. Throws DATABASE_UNAVAILABLE while they cannot be made. */
  async after<T>(work: () => Promise<T>): Promise<T> {
    await this.flush();
    return work();
  }

  /** Makes all writes that wait. Throws DATABASE_UNAVAILABLE; what was not made by then goes on waiting. */
  flush(): Promise<void> {
    if (this.waiting.length === 0) return Promise.resolve();
    this.flushing ??= this.makeAll().finally(() => (this.flushing = null));
    return this.flushing;
  }

  private async makeAll(): Promise<void> {
    for (let write = this.waiting[0]; write !== undefined; write = this.waiting[0]) {
      try {
        await write();
      } catch (error) {
        if (isDatabaseAway(error)) throw error;
        // It would stand in the way of all others for ever.
        this.onError('the database refused what was kept for it', error);
      }
      this.waiting.shift();
    }
  }
}
