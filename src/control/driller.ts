/**
 * Has drills made by `drill_schedule`, and knows of each host when a restore was last proven. What is due is decided by
 * `core/drill-due.ts`.
 */
import { isDrillDue } from '../core/drill-due.js';
import type { Host } from '../core/host.js';
import type { Clock, SnapshotDisk } from '../core/ports.js';
import { isActive, type RunRecord } from '../core/run.js';
import { SlotFinder } from '../core/schedule.js';
import { isHeld } from '../core/snapshot.js';
import type { Catalog } from './catalog.js';
import { isProof } from './drill-run.js';
import { HostRounds, type HostRoundsParts } from './host-rounds.js';
import type { RunLifecycle } from './run-lifecycle.js';

export interface DrillerParts extends HostRoundsParts {
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, 'hosts' | 'snapshots'>;
  readonly lifecycle: Pick<RunLifecycle, 'trigger' | 'isBusy'>;
  readonly disk: Pick<SnapshotDisk, 'locate'>;
}

/** What is known of the drills of a host. */
export interface DrillHistory {
  /** The newest that has ended. */
  readonly last: RunRecord | null;
  /** The newest that proved that a restore works. */
  readonly proof: RunRecord | null;
}

export class Driller extends HostRounds {
  private readonly ended = new Map<string, RunRecord>();
  private readonly proofs = new Map<string, RunRecord>();
  private readonly slots = new SlotFinder();

  constructor(private readonly own: DrillerParts) {
    super(own, {
      kind: 'drill',
      hosts: () => own.catalog.hosts(),
      lookAt: async (host) => {
        if (this.isDue(host)) await this.drill(host);
      },
      message: 'a drill could not be queued',
      noFaults: ['NOTHING_TO_DRILL'],
      onRun: (run) => this.learn(run),
    });
  }

  override async start(): Promise<void> {
    for (const run of await this.own.runs.newestOfEachHost('drill', 'SUCCEEDED'))
      this.proofs.set(run.host, run);
    await super.start();
  }

  historyOf(host: string): DrillHistory {
    return { last: this.ended.get(host) ?? null, proof: this.proofs.get(host) ?? null };
  }

  private isDue(host: Host): boolean {
    const { catalog, lifecycle, clock } = this.own;
    if (host.drillSchedule.length === 0 || lifecycle.isBusy(host.name, 'drill')) return false;
    return isDrillDue({
      host,
      hasSnapshot: catalog.snapshots(host.name).some((one) => one.manifest !== null && !isHeld(one)),
      lastDrill: this.newestOf(host),
      slots: this.slots,
      now: clock.now(),
    });
  }

  private async drill(host: Host): Promise<void> {
    const { catalog, disk, lifecycle } = this.own;
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
  }

  private learn(run: RunRecord): void {
    if (isActive(run.state)) return;
    this.ended.set(run.host, run);
    if (isProof(run)) this.proofs.set(run.host, run);
  }
}
