/** What the backups of each host were, in memory: the last one, whether one is under way, and how often it failed. */
import { countMiss, failuresInRow, isAbsence, noMisses, type Misses } from '../core/absence.js';
import type { RunStore } from '../core/ports.js';
import { isActive, type RunRecord } from '../core/run.js';

/** More failures in a row make no difference to anyone. */
const mostFailures = 20;

const wantsOfSpace: readonly string[] = ['DISK_FULL', 'DISK_SPACE_LOW', 'QUOTA_EXCEEDED'];

export class HostHistory {
  private readonly lastRuns = new Map<string, RunRecord>();
  private readonly misses = new Map<string, Misses>();
  /** Hosts whose newest failure was a want of space. */
  private readonly wantSpace = new Set<string>();

  /** Reads what the database knows. */
  async load(runs: RunStore): Promise<void> {
    for (const run of await runs.newestOfEachHost('backup')) {
      this.lastRuns.set(run.host, run);
      if (run.state !== 'SUCCEEDED' && run.state !== 'PARTIAL') await this.loadHost(runs, run.host);
    }
  }

  /** Reads what the database knows of one host. */
  async loadHost(runs: RunStore, host: string): Promise<void> {
    const recent = await runs.list({ host, kind: 'backup', limit: mostFailures });
    if (recent[0]) this.lastRuns.set(host, recent[0]);
    this.misses.set(host, recent.toReversed().reduce(countMiss, noMisses));
    const newest = recent.find((one) => !isActive(one.state) && one.state !== 'CANCELLED' && !isAbsence(one));
    if (newest) this.noteWant(newest);
  }

  /** Takes a run as it is now. */
  note(run: RunRecord): void {
    if (run.kind !== 'backup') return;
    const before = this.lastRuns.get(run.host);
    const isNews = before?.id !== run.id || before.state !== run.state;
    this.lastRuns.set(run.host, run);
    if (!isNews || isActive(run.state) || run.state === 'CANCELLED') return;
    this.misses.set(run.host, countMiss(this.missesOf(run.host), run));
    if (!isAbsence(run)) this.noteWant(run);
  }

  lastRun(host: string): RunRecord | null {
    return this.lastRuns.get(host) ?? null;
  }

  /** How many of the last runs failed, one after the other. That the host was not there hardly counts. */
  failuresInRow(host: string): number {
    return failuresInRow(this.missesOf(host));
  }

  /**
   * The failures after which nothing of the host is removed. None, where the newest was a want of space: then nothing
   * but a removal can help, and a disk that has become full would stay so for ever.
   */
  failuresAgainstExpiry(host: string): number {
    return this.wantSpace.has(host) ? 0 : this.failuresInRow(host);
  }

  private missesOf(host: string): Misses {
    return this.misses.get(host) ?? noMisses;
  }

  private noteWant({ host, error }: RunRecord): void {
    if (error && wantsOfSpace.includes(error.reason)) this.wantSpace.add(host);
    else this.wantSpace.delete(host);
  }
}
