/**
 * Has drills made by `drill_schedule`, and knows of each host when a restore was last proven. What is due is decided by
 * `core/drill-due.ts`.
 */
import { isDrillDue } from '../core/drill-due.js';
import { toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Clock, RunStore, SnapshotDisk } from '../core/ports.js';
import { isActive, type RunRecord } from '../core/run.js';
import { SlotFinder } from '../core/schedule.js';
import { isHeld } from '../core/snapshot.js';
import type { Catalog } from './catalog.js';
import { isProof } from './drill-run.js';
import type { RunEvents } from './run-events.js';
import type { RunLifecycle } from './run-lifecycle.js';

export interface DrillerParts {
  readonly clock: Clock;
  readonly runs: Pick<RunStore, 'newestOfEachHost'>;
  readonly catalog: Pick<Catalog, 'hosts' | 'snapshots'>;
  readonly lifecycle: Pick<RunLifecycle, 'trigger' | 'isBusy'>;
  readonly events: Pick<RunEvents, 'watch'>;
  readonly disk: Pick<SnapshotDisk, 'locate'>;
  /** What no caller can be told. */
  readonly onError: (message: string, error: unknown) => void;
}

/** What is known of the drills of a host. */
export interface DrillHistory {
  /** The newest that has ended. */
  readonly last: RunRecord | null;
  /** The newest that proved that a restore works. */
  readonly proof: RunRecord | null;
}

const lookEveryMs = 60_000;

/** Someone drills it already, the host was removed or is in other hands, the daemon stops, or the database is away. */
const expected = [
  'HOST_BUSY',
  'DAEMON_STOPPING',
  'HOST_NOT_FOUND',
  'DATABASE_UNAVAILABLE',
  'HOST_ELSEWHERE',
  'HOST_NOT_HELD',
  'NOTHING_TO_DRILL',
];

export class Driller {
  private readonly newest = new Map<string, RunRecord>();
  private readonly ended = new Map<string, RunRecord>();
  private readonly proofs = new Map<string, RunRecord>();
  private readonly slots = new SlotFinder();
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | null = null;

  constructor(private readonly parts: DrillerParts) {}

  /** Throws what the database says. */
  async start(): Promise<void> {
    const { runs } = this.parts;
    for (const run of await runs.newestOfEachHost('drill', 'SUCCEEDED')) this.proofs.set(run.host, run);
    for (const run of await runs.newestOfEachHost('drill')) this.note(run);
    void this.follow();
    this.timer = setInterval(() => void this.look(), lookEveryMs);
    void this.look();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await this.looking;
  }

  historyOf(host: string): DrillHistory {
    return { last: this.ended.get(host) ?? null, proof: this.proofs.get(host) ?? null };
  }

  /** Starts a drill of each host that is due. Never throws. */
  look(): Promise<void> {
    this.looking ??= this.lookAtAll().finally(() => (this.looking = null));
    return this.looking;
  }

  private async lookAtAll(): Promise<void> {
    for (const host of this.parts.catalog.hosts())
      if (!this.stopping.signal.aborted && this.isDue(host)) await this.drill(host);
  }

  private isDue(host: Host): boolean {
    const { catalog, lifecycle, clock } = this.parts;
    if (host.drillSchedule.length === 0 || lifecycle.isBusy(host.name, 'drill')) return false;
    return isDrillDue({
      host,
      hasSnapshot: catalog.snapshots(host.name).some((one) => one.manifest !== null && !isHeld(one)),
      lastDrill: this.newest.get(host.name) ?? null,
      slots: this.slots,
      now: clock.now(),
    });
  }

  private async drill(host: Host): Promise<void> {
    const { catalog, disk, lifecycle, onError } = this.parts;
    try {
      // A disk that is not mounted is no fault of its files.
      const places = await disk.locate(catalog.snapshots(host.name));
      if (![...places.values()].includes('present')) return;
      await lifecycle.trigger({
        kind: 'drill',
        host: host.name,
        snapshot: null,
        seed: null,
        requestId: null,
        urgency: 0,
        why: 'drill_schedule says so',
      });
    } catch (error) {
      if (!expected.includes(toBusyError(error).reason)) onError('a drill could not be queued', error);
    }
  }

  private async follow(): Promise<void> {
    const onlyNew = { afterRevision: 0, host: null, runId: null };
    for await (const { run } of this.parts.events.watch(onlyNew, this.stopping.signal)) {
      if (run.kind === 'drill') this.note(run);
    }
  }

  private note(run: RunRecord): void {
    this.newest.set(run.host, run);
    if (isActive(run.state)) return;
    this.ended.set(run.host, run);
    if (isProof(run)) this.proofs.set(run.host, run);
  }
}
