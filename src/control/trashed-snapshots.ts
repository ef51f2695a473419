/** Snapshots that a call deletes: into the trash, back from it, and out of it for good. */
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Clock, SnapshotDisk } from '../core/ports.js';
import { judgeSnapshots } from '../core/retention.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import { whyPrecious, wordFor, type TrashDisk, type TrashEntry } from '../core/trash.js';
import type { Catalog } from './catalog.js';
import type { HostHold } from './host-claims.js';
import type { Pruner, PrunerLog } from './pruner.js';
import type { RunLifecycle } from './run-lifecycle.js';
import { newMark, requireConfirmation, type TrashBin, type TrashFilter } from './trash.js';

export interface TrashedSnapshotsParts {
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, 'hosts' | 'host' | 'snapshots' | 'snapshot' | 'record' | 'forget'>;
  readonly disk: TrashDisk;
  readonly snapshotDisk: Pick<SnapshotDisk, 'locate'>;
  readonly hold: Pick<HostHold, 'isOurs' | 'require'>;
  readonly lifecycle: Pick<RunLifecycle, 'whileFree' | 'failuresAgainstExpiry'>;
  readonly pruner: Pick<Pruner, 'alone' | 'sweep' | 'refuseInUse'>;
  readonly log: Pick<PrunerLog, 'info'>;
}

/** Who deletes, and what he says to it. */
export interface Deletion {
  readonly by: string;
  readonly isAdmin: boolean;
  readonly confirm: string;
}

export class TrashedSnapshots implements TrashBin {
  constructor(private readonly parts: TrashedSnapshotsParts) {}

  /**
   * Moves a snapshot to the trash. Throws HOST_NOT_FOUND, SNAPSHOT_NOT_FOUND, ADMIN_NEEDED, CONFIRMATION_NEEDED,
   * HOST_BUSY, SNAPSHOT_IN_USE, HOST_ELSEWHERE, HOST_NOT_HELD, BACKUPDIR_UNUSABLE or BACKUPDIR_IN_USE; nothing has changed then.
   */
  delete(hostName: string, name: string, deletion: Deletion): Promise<TrashEntry> {
    return this.alone(this.parts.catalog.host(hostName), async () => {
      const snapshot = this.parts.catalog.snapshot(hostName, name);
      const why = whyPrecious(await this.present(hostName), snapshot);
      if (why !== null) {
        const word = wordFor({ host: hostName, snapshot: name });
        const what = `${name} is ${why} of host "${hostName}"`;
        if (!deletion.isAdmin) throw new BusyError('ADMIN_NEEDED', { what });
        requireConfirmation(deletion.confirm, word, what);
      }
      return this.put(snapshot, deletion.by);
    });
  }

  /** To be called alone with the disk. Throws as `delete` does. */
  async put(snapshot: SnapshotRecord, by: string): Promise<TrashEntry> {
    const { disk, lifecycle, catalog, pruner, log, clock } = this.parts;
    // Before the host is kept from being backed up: a disk that hangs does so here.
    const entry = await disk.note(snapshot, newMark(clock.now(), by));
    try {
      await lifecycle.whileFree(snapshot.host, async () => {
        pruner.refuseInUse(snapshot);
        await disk.moveIn(snapshot, entry);
      });
    } catch (error) {
      await disk.tidy(directoryOf(catalog.host(snapshot.host)));
      throw error;
    }
    await catalog.forget(snapshot);
    log.info('a snapshot was moved to the trash', factsOf(entry, { by }));
    return entry;
  }

  places(): readonly string[] {
    return [...new Set(this.parts.catalog.hosts().map(({ backupdir }) => backupdir))];
  }

  async list({ host, place }: TrashFilter): Promise<readonly TrashEntry[]> {
    const hosts = this.parts.catalog
      .hosts()
      .filter(({ name }) => host === undefined || name === host)
      .filter(({ backupdir }) => place === undefined || backupdir === place);
    return (await Promise.all(hosts.map((one) => this.parts.disk.list(directoryOf(one))))).flat();
  }

  isOurs({ host }: TrashEntry): boolean {
    return this.parts.hold.isOurs(host);
  }

  /** Throws HOST_NOT_FOUND, TRASH_UNREADABLE, TRASH_PLACE_TAKEN, TRASH_NOT_KEPT, and as `delete` does. */
  restore(entry: TrashEntry): Promise<void> {
    const { catalog, disk } = this.parts;
    const host = catalog.host(entry.host);
    return this.alone(host, async () => {
      const snapshot = await disk.read(entry, host.srcdirs);
      if (!snapshot) throw new BusyError('TRASH_UNREADABLE', { path: entry.path });
      if (catalog.snapshots(host.name).some(({ name }) => name === snapshot.name))
        throw new BusyError('TRASH_PLACE_TAKEN', { place: snapshot.path });
      await this.refuseUnkept(host, snapshot, entry);
      // The record first: when it is all that was done, `settle` takes it back.
      await catalog.record(snapshot);
      try {
        await disk.moveOut(entry);
      } catch (error) {
        await catalog.forget(snapshot);
        throw error;
      }
    });
  }

  async destroy(entry: TrashEntry, reason: string): Promise<void> {
    const { catalog, disk, pruner, log } = this.parts;
    const host = catalog.host(entry.host);
    await this.alone(host, async () => {
      await disk.takeOut(entry);
      log.info('a snapshot was removed from the trash for good', factsOf(entry, { because: reason }));
      pruner.sweep(host, entry);
    });
  }

  /** Forgets records of what is in the trash, and removes notes of what is not. */
  async settle(place: string): Promise<void> {
    const { catalog, disk, hold } = this.parts;
    for (const host of catalog.hosts()) {
      const directory = directoryOf(host);
      if (host.backupdir !== place || !hold.isOurs(host.name) || !(await disk.hasTraces(directory))) continue;
      await this.alone(host, () => this.settleHost(host, directory));
    }
  }

  private async settleHost({ name: host }: Host, directory: string): Promise<void> {
    const { catalog, disk, snapshotDisk } = this.parts;
    const names = new Set((await disk.list(directory)).map(({ snapshot }) => snapshot));
    const suspects = catalog.snapshots(host).filter(({ name }) => names.has(name));
    const places = await snapshotDisk.locate(suspects);
    for (const snapshot of suspects) if (places.get(snapshot) === 'taken out') await catalog.forget(snapshot);
    await disk.tidy(directory);
  }

  private async refuseUnkept(host: Host, snapshot: SnapshotRecord, { path }: TrashEntry): Promise<void> {
    const failuresInRow = this.parts.lifecycle.failuresAgainstExpiry(host.name);
    const snapshots = [...(await this.present(host.name)), snapshot].sort((a, b) =>
      a.name < b.name ? 1 : -1,
    );
    const verdict = judgeSnapshots({ host, snapshots, failuresInRow }).verdicts.find(
      (judged) => judged.snapshot === snapshot,
    );
    if (verdict?.isKept !== false) return;
    const facts = { host: host.name, snapshot: snapshot.name, why: verdict.reason, path };
    throw new BusyError('TRASH_NOT_KEPT', facts);
  }

  /** Those of the records that are on the disk, newest first. */
  private async present(host: string): Promise<SnapshotRecord[]> {
    const recorded = this.parts.catalog.snapshots(host);
    const places = await this.parts.snapshotDisk.locate(recorded);
    return recorded.filter((snapshot) => places.get(snapshot) === 'present');
  }

  /** While nothing is removed on the disk of the host, which is in our hands. */
  private alone<T>(host: Host, work: () => Promise<T>): Promise<T> {
    const { pruner, hold } = this.parts;
    return pruner.alone(host, async () => {
      await hold.require(host.name);
      return work();
    });
  }
}

function directoryOf({ backupdir, name }: Host): string {
  return `${backupdir}/${name}`;
}

function factsOf(
  { host, snapshot, id }: TrashEntry,
  more: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return { host, snapshot, id, ...more };
}
