/**
 * Removes the records and the logs of runs that `keep_runs` does not keep, at the start and once a day. The record goes
 * first: a log without one is removed in the same pass or the next, also where another daemon removed the record.
 */
import { encodeTime } from 'ulid';
import { isDatabaseAway } from '../core/errors.js';
import type { Clock, RunLogs, RunStore, SnapshotStore } from '../core/ports.js';
import { newestRunsKept, oldestKept, removableRuns } from '../core/run-retention.js';
import type { HostHold } from './host-claims.js';

export interface RunCleanerParts {
  readonly clock: Clock;
  readonly runs: Pick<RunStore, 'list' | 'hostsBefore' | 'known' | 'remove'>;
  readonly logs: Pick<RunLogs, 'ids' | 'remove'>;
  readonly snapshots: Pick<SnapshotStore, 'list'>;
  /** Of hosts that are configured each daemon removes those of its own, and one those of all others. */
  readonly hold: Pick<HostHold, 'isOurs' | 'isPostman'>;
  readonly isConfigured: (host: string) => boolean;
  readonly keepRunsDays: () => number;
  /** What no caller can be told. */
  readonly onError: (message: string, error: unknown) => void;
}

const dayMs = 86_400_000;
/** So many are read or removed at once, since others wait for the database meanwhile. */
const atOnce = 200;

export class RunCleaner {
  private readonly stopping = new AbortController();
  private daily: NodeJS.Timeout | undefined;
  private cleaning: Promise<void> | null = null;

  constructor(private readonly parts: RunCleanerParts) {}

  start(): void {
    this.daily = setInterval(() => void this.clean(), dayMs);
    void this.clean();
  }

  async stop(): Promise<void> {
    clearInterval(this.daily);
    this.stopping.abort();
    await this.cleaning;
  }

  /** One pass. Never throws. */
  clean(): Promise<void> {
    this.cleaning ??= this.cleanAll()
      .catch((error: unknown) => {
        if (!isDatabaseAway(error)) this.parts.onError('old runs could not be removed', error);
      })
      .finally(() => (this.cleaning = null));
    return this.cleaning;
  }

  private async cleanAll(): Promise<void> {
    const { clock, runs, hold, isConfigured, keepRunsDays } = this.parts;
    const oldest = oldestKept(keepRunsDays(), clock.now());
    if (oldest === null) return;
    // Ids begin with the time at which they were made.
    const firstKept = encodeTime(oldest.getTime(), 10).padEnd(26, '0');
    for (const host of await runs.hostsBefore(firstKept)) {
      if (this.stopping.signal.aborted) return;
      if (isConfigured(host) ? hold.isOurs(host) : hold.isPostman()) await this.cleanHost(host, firstKept);
    }
    await this.cleanLogs(firstKept);
  }

  private async cleanHost(host: string, firstKept: string): Promise<void> {
    const { runs, snapshots } = this.parts;
    const some = await runs.list({ host, limit: newestRunsKept });
    const backups = await runs.list({ host, kind: 'backup', limit: newestRunsKept });
    // It says when a restore was last proven.
    const proof = await runs.list({ host, kind: 'drill', states: ['SUCCEEDED'], limit: 1 });
    const newest = new Set([...some, ...backups, ...proof].map(({ id }) => id));
    const makers = new Set((await snapshots.list(host)).map(({ runId }) => runId));
    let beforeId = firstKept;
    while (!this.stopping.signal.aborted) {
      const page = await runs.list({ host, beforeId, limit: atOnce });
      await runs.remove(removableRuns({ runs: page, newest, makers }));
      const last = page.at(-1);
      if (!last || page.length < atOnce) return;
      beforeId = last.id;
    }
  }

  private async cleanLogs(firstKept: string): Promise<void> {
    const { runs, logs } = this.parts;
    const old = (await logs.ids()).filter((id) => id < firstKept);
    for (let at = 0; at < old.length && !this.stopping.signal.aborted; at += atOnce) {
      const some = old.slice(at, at + atOnce);
      const known = new Set(await runs.known(some));
      for (const id of some) if (!known.has(id)) await logs.remove(id);
    }
  }
}
