/** What the runs of each host were, in memory: the last one, whether one is under way, and how often it failed. */
import type { RunStore } from '../core/ports.js';
import { isActive, type RunRecord } from '../core/run.js';
import { failuresAtHead } from './run-ends.js';

/** More failures in a row make no difference to anyone. */
const mostFailures = 20;

export class HostHistory {
  private readonly lastRuns = new Map<string, RunRecord>();
  private readonly failures = new Map<string, number>();

  /** Reads what the database knows. */
  async load(runs: RunStore): Promise<void> {
    for (const run of await runs.newestOfEachHost()) {
      this.lastRuns.set(run.host, run);
      if (run.state === 'SUCCEEDED' || run.state === 'PARTIAL') continue;
      this.failures.set(run.host, failuresAtHead(await runs.list({ host: run.host, limit: mostFailures })));
    }
  }

  /** Takes a run as it is now. */
  note(run: RunRecord): void {
    const before = this.lastRuns.get(run.host);
    const isNews = before?.id !== run.id || before.state !== run.state;
    this.lastRuns.set(run.host, run);
    if (!isNews || isActive(run.state) || run.state === 'CANCELLED') return;
    const hasFailed = run.state === 'FAILED' || run.state === 'INTERRUPTED';
    this.failures.set(run.host, hasFailed ? this.failuresInRow(run.host) + 1 : 0);
  }

  lastRun(host: string): RunRecord | null {
    return this.lastRuns.get(host) ?? null;
  }

  /** How many of the last runs failed, one after the other. */
  failuresInRow(host: string): number {
    return this.failures.get(host) ?? 0;
  }
}
