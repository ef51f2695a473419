/**
 * Which runs wait and which run. Limits: in total and on each backup disk (one run a host is the lifecycle's rule).
 * The most overdue goes first; one whose disk is busy lets others pass.
 */
export interface QueuedRun {
  readonly id: string;
  /** Runs with the same disk share its limit. */
  readonly disk: string;
  /** The greater the sooner; equal ones in the order in which they came. */
  readonly urgency: number;
}

export interface QueueLimits {
  readonly total: number;
  readonly perDisk: number;
}

export class RunQueue {
  /** Most urgent first. */
  private waiting: QueuedRun[] = [];
  private readonly running = new Map<string, { disk: string; ended: Promise<void> }>();
  private isStopped = false;
  private isHeld = false;

  /**
   * `carryOut` must not throw; its promise settles when the run has ended. With false it could not begin: it waits
   * again, and nothing begins until `goOn`.
   */
  constructor(
    private limits: QueueLimits,
    private readonly carryOut: (runId: string) => Promise<boolean>,
  ) {}

  add(run: QueuedRun): void {
    this.waiting = inOrder([...this.waiting, run]);
    this.startNext();
  }

  /** Takes a run out that has not started. */
  remove(runId: string): void {
    this.waiting = this.waiting.filter(({ id }) => id !== runId);
  }

  /** New limits; what runs goes on. */
  setLimits(limits: QueueLimits): void {
    this.limits = limits;
    this.startNext();
  }

  /** Starts nothing until `goOn`; what runs goes on. */
  hold(): void {
    this.isHeld = true;
  }

  goOn(): void {
    this.isHeld = false;
    this.startNext();
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
    while (this.running.size > 0) await Promise.all([...this.running.values()].map(({ ended }) => ended));
  }

  private startNext(): void {
    while (!this.isStopped && !this.isHeld && this.running.size < this.limits.total) {
      const next = this.waiting.find(({ disk }) => this.runningOn(disk) < this.limits.perDisk);
      if (!next) return;
      this.remove(next.id);
      this.running.set(next.id, { disk: next.disk, ended: this.run(next) });
    }
  }

  private async run(next: QueuedRun): Promise<void> {
    const hasBegun = await this.carryOut(next.id);
    this.running.delete(next.id);
    if (!hasBegun) this.takeBack(next);
    this.startNext();
  }

  private takeBack(run: QueuedRun): void {
    this.isHeld = true;
    this.waiting = inOrder([run, ...this.waiting]);
  }

  private runningOn(disk: string): number {
    return [...this.running.values()].filter((run) => run.disk === disk).length;
  }
}

function inOrder(runs: readonly QueuedRun[]): QueuedRun[] {
  return [...runs].sort((a, b) => compare(b.urgency, a.urgency));
}

/** Infinity minus itself is no number, so the difference will not do. */
function compare(a: number, b: number): number {
  if (a === b) return 0;
  return a > b ? 1 : -1;
}
