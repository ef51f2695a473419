/** Starts a run that archives for each host whose archive_schedule has come and that has something to archive. */
import { dueArchiveSlot, judgeArchiving } from '../core/archive-rules.js';
import type { Host } from '../core/host.js';
import type { Clock } from '../core/ports.js';
import { expiredOf } from './archive-keep.js';
import type { ArchivingParts } from './archive-parts.js';
import type { Catalog } from './catalog.js';
import { HostRounds, type HostRoundsParts } from './host-rounds.js';
import type { RunLifecycle } from './run-lifecycle.js';

export interface ArchiverParts extends HostRoundsParts {
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, 'hosts'>;
  readonly lifecycle: Pick<RunLifecycle, 'trigger' | 'isBusy'>;
  readonly archiving: Pick<ArchivingParts, 'archives' | 'onDisk' | 'failuresOf'>;
}

export class Archiver extends HostRounds {
  /** The slots in which there was nothing to do, by host. */
  private readonly idleSlots = new Map<string, number>();

  constructor(private readonly own: ArchiverParts) {
    super(own, {
      kind: 'archive',
      hosts: () => own.catalog.hosts(),
      lookAt: (host) => this.archive(host),
      message: 'an archive run could not be queued',
    });
  }

  private async archive(host: Host): Promise<void> {
    const { clock, lifecycle, archiving } = this.own;
    const now = clock.now();
    const slot = dueArchiveSlot({ host, lastRun: this.newestOf(host), now });
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
}
