/** Tells how far work on a backup disk is, a few times a second at most. */
import { showPath, type BytePath } from '../core/byte-path.js';
import type { Clock } from '../core/ports.js';
import type { Progress, RunPhase } from '../core/run.js';

const reportEveryMs = 250;

/** Looking at an entry takes about as long as reading so many bytes. */
const bytesOfAnEntry = 8192;

export class DiskMeter {
  private readonly startedAt: number;
  private lastReportAt = -Infinity;
  /** What has been dealt with. */
  entries = 0;
  bytes = 0;
  private current: BytePath = '';

  /** `total` is what is expected, as far as it is known; `jobs` of a backup have all ended. */
  constructor(
    private readonly phase: RunPhase,
    private readonly total: { readonly entries: number; readonly bytes: number; readonly jobs: number },
    private readonly clock: Clock,
    private readonly report: (progress: Progress) => void,
  ) {
    this.startedAt = clock.now().getTime();
    this.tell();
  }

  add(done: { entries: number; bytes: number; current: BytePath }): void {
    this.entries += done.entries;
    this.bytes += done.bytes;
    this.current = done.current;
    if (this.clock.now().getTime() - this.lastReportAt >= reportEveryMs) this.tell();
  }

  end(): void {
    this.tell();
  }

  /** Milliseconds since the beginning. */
  get elapsedMs(): number {
    return this.clock.now().getTime() - this.startedAt;
  }

  private tell(): void {
    this.lastReportAt = this.clock.now().getTime();
    const whole = workOf(this.total);
    const percent = whole === 0 ? 0 : Math.min(100, (100 * workOf(this)) / whole);
    const elapsedMs = Math.max(1, this.elapsedMs);
    this.report({
      phase: this.phase,
      jobNumber: this.total.jobs,
      jobCount: this.total.jobs,
      jobsEnded: this.total.jobs,
      bytesDone: this.bytes,
      percent: Math.floor(percent),
      bytesPerSecond: Math.round((this.bytes * 1000) / elapsedMs),
      secondsLeft: percent < 2 ? null : Math.round(((elapsedMs / 1000) * (100 - percent)) / percent),
      filesTransferred: 0,
      entriesDone: this.entries,
      currentFile: showPath(this.current),
      isListing: false,
    });
  }
}

function workOf({ entries, bytes }: { readonly entries: number; readonly bytes: number }): number {
  return entries * bytesOfAnEntry + bytes;
}
