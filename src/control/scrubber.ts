/**
 * Has a share of each host's snapshots read each night, so that all of it is read in `verify_every` days. What is due
 * is decided by `core/scrub.ts`; which parts are read is decided where they are read, from what the disk remembers.
 */
import type { Host } from '../core/host.js';
import type { Clock, SnapshotDisk } from '../core/ports.js';
import { isScrubDue } from '../core/scrub.js';
import type { Catalog } from './catalog.js';
import { HostRounds, type HostRoundsParts } from './host-rounds.js';
import type { RunLifecycle } from './run-lifecycle.js';

export interface ScrubberParts extends HostRoundsParts {
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, 'hosts' | 'snapshots'>;
  readonly lifecycle: Pick<RunLifecycle, 'trigger' | 'isBusy'>;
  readonly disk: Pick<SnapshotDisk, 'locate'>;
}

export class Scrubber extends HostRounds {
  constructor(private readonly own: ScrubberParts) {
    super(own, {
      kind: 'scrub',
      hosts: () => this.dueHosts(),
      lookAt: (host) => this.scrub(host),
      message: 'a scrub could not be queued',
    });
  }

  /** Those first that were scrubbed longest ago. */
  private dueHosts(): Host[] {
    return this.own.catalog
      .hosts()
      .filter((host) => this.isDue(host))
      .sort((a, b) => this.lastTime(a) - this.lastTime(b));
  }

  private isDue(host: Host): boolean {
    const { catalog, lifecycle, clock } = this.own;
    if (host.verifyEvery === 0 || lifecycle.isBusy(host.name, 'scrub')) return false;
    const hasManifest = catalog.snapshots(host.name).some(({ manifest }) => manifest !== null);
    return isScrubDue({ host, hasManifest, lastScrub: this.newestOf(host), now: clock.now() });
  }

  private lastTime(host: Host): number {
    return this.newestOf(host)?.createdAt.getTime() ?? 0;
  }

  private async scrub(host: Host): Promise<void> {
    const { catalog, disk, lifecycle } = this.own;
    // A disk that is not mounted is no fault of its files.
    const places = await disk.locate(catalog.snapshots(host.name));
    if (![...places.values()].includes('present')) return;
    const why = `all is to be read within ${host.verifyEvery} days`;
    await lifecycle.trigger({
      kind: 'scrub',
      host: host.name,
      snapshot: null,
      requestId: null,
      urgency: 0,
      why,
    });
  }
}
