/** Adds up the progress of the jobs of a run, and says it a few times a second at most. */
import type { Clock } from '../core/ports.js';
import type { Progress } from '../core/run.js';
import type { RsyncEvent } from './rsync-output.js';

interface JobProgress {
  bytesDone: number;
  bytesPercent: number;
  bytesPerSecond: number;
  filesTransferred: number;
  filesLeft: number;
  filesTotal: number;
  isListing: boolean;
  hasEnded: boolean;
}

const reportEveryMs = 250;

/** Below this a forecast is a guess. */
const leastPercentForForecast = 2;

export class ProgressMeter {
  private readonly jobs: JobProgress[];
  private readonly startedAt: number;
  private currentJob = 1;
  private currentFile = '';
  private timer: NodeJS.Timeout | null = null;
  private lastReportAt = 0;

  /**
   * `isIncremental`: unchanged files move no bytes, so what counts is how many files were looked at.
   * `report` gets the first value at once, then at most four a second, and the last one at `end`.
   */
  constructor(
    jobCount: number,
    private readonly isIncremental: boolean,
    private readonly clock: Clock,
    private readonly report: (progress: Progress) => void,
  ) {
    this.startedAt = clock.now().getTime();
    this.jobs = Array.from({ length: jobCount }, () => ({
      bytesDone: 0,
      bytesPercent: 0,
      bytesPerSecond: 0,
      filesTransferred: 0,
      filesLeft: 0,
      filesTotal: 0,
      isListing: true,
      hasEnded: false,
    }));
  }

  /** Takes what rsync said in the job with this number. */
  update(jobNumber: number, event: RsyncEvent): void {
    const job = this.jobs[jobNumber - 1];
    if (!job) return;
    if (event.kind === 'progress') {
      job.bytesDone = event.progress.bytesDone;
      job.bytesPercent = event.progress.percent;
      job.bytesPerSecond = event.progress.bytesPerSecond;
    } else if (event.kind === 'checked') {
      job.filesTransferred = event.transferred;
      job.filesLeft = event.left;
      job.filesTotal = event.total;
      job.isListing = event.isListing;
    } else if (event.kind === 'item') {
      this.currentFile = event.path;
    } else {
      return;
    }
    this.currentJob = jobNumber;
    this.schedule();
  }

  jobEnded(jobNumber: number): void {
    const job = this.jobs[jobNumber - 1];
    if (!job) return;
    job.hasEnded = true;
    job.isListing = false;
    job.bytesPerSecond = 0;
    this.schedule();
  }

  end(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.report(this.current());
  }

  private schedule(): void {
    if (this.timer) return;
    const since = this.clock.now().getTime() - this.lastReportAt;
    // A clock that was set back says nothing of when the last one was.
    const wait = since < 0 ? reportEveryMs : Math.max(0, reportEveryMs - since);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.lastReportAt = this.clock.now().getTime();
      this.report(this.current());
    }, wait);
  }

  private current(): Progress {
    const sum = (value: (job: JobProgress) => number): number =>
      this.jobs.reduce((all, job) => all + value(job), 0);
    const percent = sum((job) => this.percentOf(job)) / this.jobs.length;
    const elapsedMs = this.clock.now().getTime() - this.startedAt;
    return {
      phase: 'copy',
      jobNumber: this.currentJob,
      jobCount: this.jobs.length,
      jobsEnded: this.jobs.filter((job) => job.hasEnded).length,
      bytesDone: sum((job) => job.bytesDone),
      percent: Math.floor(percent),
      bytesPerSecond: sum((job) => job.bytesPerSecond),
      secondsLeft:
        percent < leastPercentForForecast
          ? null
          : Math.round(((elapsedMs / 1000) * (100 - percent)) / percent),
      filesTransferred: sum((job) => job.filesTransferred),
      entriesDone: 0,
      currentFile: this.currentFile,
      isListing: this.jobs.some((job) => job.isListing),
    };
  }

  private percentOf(job: JobProgress): number {
    if (job.hasEnded) return 100;
    if (!this.isIncremental) return job.bytesPercent;
    return job.filesTotal === 0 ? 0 : (100 * (job.filesTotal - job.filesLeft)) / job.filesTotal;
  }
}
