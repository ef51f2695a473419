/**
 * Has a share of each host's snapshots read each night, so that all of it is read in `verify_every` days. What is due
 * is decided by `core/scrub.ts`; which parts are read is decided where they are read, from what the disk remembers.
 */
import { toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Clock, RunStore, SnapshotDisk } from '../core/ports.js';
import type { RunRecord } from '../core/run.js';
import { isScrubDue } from '../core/scrub.js';
import type { Catalog } from './catalog.js';
import type { RunEvents } from './run-events.js';
import type { RunLifecycle } from './run-lifecycle.js';

export interface ScrubberParts {
  readonly clock: Clock;
  readonly runs: Pick<RunStore, 'newestOfEachHost'>;
  readonly catalog: Pick<Catalog, 'hosts' | 'snapshots'>;
  readonly lifecycle: Pick<RunLifecycle, 'trigger' | 'isBusy'>;
  readonly events: Pick<RunEvents, 'watch'>;
  readonly disk: Pick<SnapshotDisk, 'locate'>;
  /** What no caller can be told. */
  readonly onError: (message: string, error: unknown) => void;
}

const lookEveryMs = 60_000;

export class Scrubber {
  private readonly lastScrubs = new Map<string, RunRecord>();
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | null = null;

  constructor(private readonly parts: ScrubberParts) {}

  /** Throws what the database says. */
  async start(): Promise<void> {
    for (const run of await this.parts.runs.newestOfEachHost('scrub')) this.lastScrubs.set(run.host, run);
    void this.follow();
    this.timer = setInterval(() => void this.look(), lookEveryMs);
    void this.look();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await this.looking;
  }

  /** Starts a scrub of each host that is due, those first that were scrubbed longest ago. Never throws. */
  look(): Promise<void> {
    this.looking ??= this.lookAtAll().finally(() => (this.looking = null));
    return this.looking;
  }

  private async lookAtAll(): Promise<void> {
    const due = this.parts.catalog
      .hosts()
      .filter((host) => this.isDue(host))
      .sort((a, b) => this.lastTime(a) - this.lastTime(b));
    for (const host of due) if (!this.stopping.signal.aborted) await this.scrub(host);
  }

  private isDue(host: Host): boolean {
    const { catalog, lifecycle, clock } = this.parts;
    if (host.verifyEvery === 0 || lifecycle.isBusy(host.name, 'scrub')) return false;
    const hasManifest = catalog.snapshots(host.name).some(({ manifest }) => manifest !== null);
    const lastScrub = this.lastScrubs.get(host.name) ?? null;
    return isScrubDue({ host, hasManifest, lastScrub, now: clock.now() });
  }

  private lastTime({ name }: Host): number {
    return this.lastScrubs.get(name)?.createdAt.getTime() ?? 0;
  }

  private async scrub(host: Host): Promise<void> {
    const { catalog, disk, lifecycle, onError } = this.parts;
    try {
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
    } catch (error) {
      // Someone verifies it already, the host was removed or is in other hands, the daemon stops, or the database is
      // away, of which its watch tells: these are no faults.
      const expected = [
        'HOST_BUSY',
        'DAEMON_STOPPING',
        'HOST_NOT_FOUND',
        'DATABASE_UNAVAILABLE',
        'HOST_ELSEWHERE',
        'HOST_NOT_HELD',
      ];
      if (!expected.includes(toBusyError(error).reason)) onError('a scrub could not be queued', error);
    }
  }

  private async follow(): Promise<void> {
    const onlyNew = { afterRevision: 0, host: null, runId: null };
    for await (const { run } of this.parts.events.watch(onlyNew, this.stopping.signal)) {
      if (run.kind === 'scrub') this.lastScrubs.set(run.host, run);
    }
  }
}
