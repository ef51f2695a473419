/** A hold on the stream of a transfer: what comes from the host waits, and the host waits with it. */
import type { Writable } from 'node:stream';

export class Flow {
  private stream: Writable | null = null;
  private isHeld = false;

  /** The stream towards the local rsync, as soon as there is one. */
  attach(stream: Writable): void {
    this.stream = stream;
    if (this.isHeld) stream.cork();
  }

  /** A corked stream says that it is full, so that its source is not read; an end of the stream ends that too. */
  hold(): void {
    if (this.isHeld) return;
    this.isHeld = true;
    this.stream?.cork();
  }

  goOn(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.stream?.uncork();
  }
}
