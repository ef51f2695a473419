/** The two ways out for a snapshot that the source gate holds: it is as it should be, or it goes to the trash. */
import { BusyError } from '../core/errors.js';
import type { Clock, SnapshotDisk } from '../core/ports.js';
import { isHeld, type SnapshotRecord } from '../core/snapshot.js';
import type { Catalog } from './catalog.js';
import type { HostHold } from './host-claims.js';
import type { Pruner, PrunerLog } from './pruner.js';
import type { TrashedSnapshots } from './trashed-snapshots.js';

export interface HeldParts {
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, 'host' | 'snapshot' | 'record'>;
  readonly disk: Pick<SnapshotDisk, 'release'>;
  readonly hold: Pick<HostHold, 'require'>;
  readonly pruner: Pick<Pruner, 'alone'>;
  readonly trash: Pick<TrashedSnapshots, 'put'>;
  readonly log: Pick<PrunerLog, 'info'>;
}

/**
 * Makes a held snapshot an ordinary one: first on the disk, then in the records, so that after a crash it is at worst
 * acknowledged twice. Throws HOST_NOT_FOUND, SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_HELD, HOST_ELSEWHERE,
 * BACKUPDIR_UNUSABLE or BACKUPDIR_IN_USE.
 */
export function acknowledge(parts: HeldParts, host: string, name: string): Promise<SnapshotRecord> {
  return withHeld(parts, host, name, async (snapshot) => {
    await parts.disk.release(snapshot, parts.clock.now());
    const released = { ...snapshot, heldFor: [] };
    await parts.catalog.record(released);
    parts.log.info('a held snapshot was acknowledged', { host, snapshot: name });
    return released;
  });
}

/** Moves a held snapshot to the trash. Throws as `acknowledge` does, or HOST_BUSY. */
export function discardHeld(
  parts: HeldParts,
  host: string,
  { name, by }: { readonly name: string; readonly by: string },
): Promise<SnapshotRecord> {
  return withHeld(parts, host, name, async (snapshot) => {
    await parts.trash.put(snapshot, by);
    return snapshot;
  });
}

/** Looked at when nothing is removed: a newer held one may take its place meanwhile. */
function withHeld<T>(
  { catalog, hold, pruner }: HeldParts,
  host: string,
  name: string,
  work: (snapshot: SnapshotRecord) => Promise<T>,
): Promise<T> {
  return pruner.alone(catalog.host(host), async () => {
    // Not before: what is removed meanwhile may take long, and the host come into other hands.
    await hold.require(host);
    const snapshot = catalog.snapshot(host, name);
    if (!isHeld(snapshot)) throw new BusyError('SNAPSHOT_NOT_HELD', { host, snapshot: name });
    return work(snapshot);
  });
}
