/** Which runs wait and which run: a limit in total, first come first served. */
export class RunQueue {
  private readonly waiting: string[] = [];
  private readonly running = new Map<string, Promise<void>>();
  private isStopped = false;

  /** `carryOut` must not throw; its promise settles when the run has ended. */
  constructor(
    private readonly maxRunning: number,
    private readonly carryOut: (runId: string) => Promise<void>,
  ) {}

  add(runId: string): void {
    this.waiting.push(runId);
    this.startNext();
  }

  /** Takes a run out that has not started. */
  remove(runId: string): void {
    const place = this.waiting.indexOf(runId);
    if (place >= 0) this.waiting.splice(place, 1);
  }

  counts(): { queued: number; running: number } {
    return { queued: this.waiting.length, running: this.running.size };
  }

  /** Starts nothing any more. Runs that wait stay in the database and wait for the next start of the daemon. */
  stop(): void {
    this.isStopped = true;
  }

  /** Settles when nothing runs. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running.values());
  }

  private startNext(): void {
    while (!this.isStopped && this.running.size < this.maxRunning) {
      const runId = this.waiting.shift();
      if (runId === undefined) return;
      const ended = this.carryOut(runId).finally(() => {
        this.running.delete(runId);
        this.startNext();
      });
      this.running.set(runId, ended);
    }
  }
}
