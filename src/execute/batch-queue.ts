/** Keeps batches of a manifest in their order, while threads make their lines in the order in which they get to it. */
import { setImmediate } from 'node:timers/promises';
import type { ManifestAssembly } from './manifest-assembly.js';
import type { GatheredLines } from './manifest-lines.js';

/** Enough that nobody waits for a batch that takes some times as long as others. */
const mostBatches = 8;

interface Slot {
  lines: GatheredLines | null;
  readonly made: Promise<void>;
}

export class BatchQueue {
  private readonly slots: Slot[] = [];

  constructor(private readonly assembly: ManifestAssembly) {}

  /** Settles when there is room for another one. Rejects as the promises that it was given, and as the assembly. */
  async add(lines: GatheredLines | Promise<GatheredLines>): Promise<void> {
    if (lines instanceof Promise) this.slots.push(slotOf(lines));
    else if (this.slots.length === 0) return this.assembly.add(lines);
    else this.slots.push({ lines, made: Promise.resolve() });
    // Answers of threads are heard.
    await setImmediate();
    while (this.slots.length >= mostBatches || this.slots[0]?.lines) await this.assembleFirst();
  }

  /** Settles when all of them have been assembled. */
  async end(): Promise<void> {
    while (this.slots.length > 0) await this.assembleFirst();
  }

  private async assembleFirst(): Promise<void> {
    const first = this.slots.shift();
    await first?.made;
    if (first?.lines) await this.assembly.add(first.lines);
  }
}

function slotOf(lines: Promise<GatheredLines>): Slot {
  const made = lines.then((done) => void (slot.lines = done));
  const slot: Slot = { lines: null, made };
  // It may be known to fail before its turn comes.
  made.catch(() => {});
  return slot;
}
