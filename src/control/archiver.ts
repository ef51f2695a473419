/** Starts a run that archives for each host whose archive_schedule has come and that has something to archive. */
import { dueArchiveSlot, judgeArchiving } from '../core/archive-rules.js';
import { toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Clock, RunStore } from '../core/ports.js';
import type { RunRecord } from '../core/run.js';
import { expiredOf } from './archive-keep.js';
import type { ArchivingParts } from './archive-parts.js';
import type { Catalog } from './catalog.js';
import type { RunEvents } from './run-events.js';
import type { RunLifecycle } from './run-lifecycle.js';

export interface ArchiverParts {
  readonly clock: Clock;
  readonly runs: Pick<RunStore, 'newestOfEachHost'>;
  readonly catalog: Pick<Catalog, 'hosts'>;
  readonly lifecycle: Pick<RunLifecycle, 'trigger' | 'isBusy'>;
  readonly events: Pick<RunEvents, 'watch'>;
  readonly archiving: Pick<ArchivingParts, 'archives' | 'onDisk' | 'failuresOf'>;
  /** What no caller can be told. */
  readonly onError: (message: string, error: unknown) => void;
}

const lookEveryMs = 60_000;

/** The host is archived already, was removed or is in other hands, the daemon stops, or the database is away. */
const noFaults: readonly string[] = [
  'HOST_BUSY',
  'DAEMON_STOPPING',
  'HOST_NOT_FOUND',
  'DATABASE_UNAVAILABLE',
  'HOST_ELSEWHERE',
  'HOST_NOT_HELD',
];

export class Archiver {
  private readonly lastRuns = new Map<string, RunRecord>();
  /** The slots in which there was nothing to do, by host. */
  private readonly idleSlots = new Map<string, number>();
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | null = null;

  constructor(private readonly parts: ArchiverParts) {}

  /** Throws what the database says. */
  async start(): Promise<void> {
    for (const run of await this.parts.runs.newestOfEachHost('archive')) this.lastRuns.set(run.host, run);
    void this.follow();
    this.timer = setInterval(() => void this.look(), lookEveryMs);
    void this.look();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await this.looking;
  }

  /** Never throws. */
  look(): Promise<void> {
    this.looking ??= this.lookAtAll().finally(() => (this.looking = null));
    return this.looking;
  }

  private async lookAtAll(): Promise<void> {
    for (const host of this.parts.catalog.hosts()) {
      if (this.stopping.signal.aborted) return;
      try {
        await this.lookAt(host);
      } catch (error) {
        if (!noFaults.includes(toBusyError(error).reason))
          this.parts.onError('an archive run could not be queued', error);
      }
    }
  }

  private async lookAt(host: Host): Promise<void> {
    const { clock, lifecycle, archiving } = this.parts;
    const now = clock.now();
    const slot = dueArchiveSlot({ host, lastRun: this.lastRuns.get(host.name) ?? null, now });
    if (slot === null || this.idleSlots.get(host.name) === slot.getTime()) return;
    if (lifecycle.isBusy(host.name, 'archive')) return;
    const snapshots = await archiving.onDisk(host);
    const failuresInRow = archiving.failuresOf(host.name);
    const due = judgeArchiving({ host, snapshots, failuresInRow, now }).filter(({ isDue }) => isDue);
    if (due.length === 0 && (await expiredOf(archiving, host)).length === 0) {
      this.idleSlots.set(host.name, slot.getTime());
      return;
    }
    const why = `archive_schedule has come, and ${due.length} of its snapshots are at least ${host.maxAge} days old`;
    await lifecycle.trigger({
      kind: 'archive',
      host: host.name,
      snapshot: null,
      requestId: null,
      isScheduled: true,
      urgency: 0,
      why,
    });
  }

  private async follow(): Promise<void> {
    const onlyNew = { afterRevision: 0, host: null, runId: null };
    for await (const { run } of this.parts.events.watch(onlyNew, this.stopping.signal)) {
      if (run.kind === 'archive') this.lastRuns.set(run.host, run);
    }
  }
}
