/** Builds the trash: what is deleted by a call goes through it; a part of the composition root. */
import type { Audit } from './control/audit.js';
import type { Catalog } from './control/catalog.js';
import { acknowledge, discardHeld } from './control/held-snapshots.js';
import type { HostHold } from './control/host-claims.js';
import type { HostRegistry } from './control/host-registry.js';
import type { Pruner } from './control/pruner.js';
import type { RunLifecycle } from './control/run-lifecycle.js';
import { Trash } from './control/trash.js';
import { trashedHosts } from './control/trashed-hosts.js';
import { TrashedSnapshots } from './control/trashed-snapshots.js';
import type { Clock, HostStore, SnapshotDisk } from './core/ports.js';
import type { LockHolder } from './execute/backupdir-lock.js';
import { createTrashDisk } from './execute/trash-dir.js';
import type { Logger } from './log.js';
import type { SnapshotParts } from './rpc/snapshots.js';

export interface DaemonTrashParts {
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly store: HostStore;
  readonly registry: HostRegistry;
  readonly lifecycle: RunLifecycle;
  readonly pruner: Pruner;
  readonly hold: HostHold;
  readonly holder: LockHolder;
  readonly snapshotDisk: SnapshotDisk;
  readonly trashDays: () => number;
  readonly audit: Audit;
  readonly log: Logger;
}

export interface DaemonTrash extends Pick<SnapshotParts, 'held' | 'deleteSnapshot'> {
  readonly trash: Trash;
}

export function createTrash(parts: DaemonTrashParts): DaemonTrash {
  const snapshots = new TrashedSnapshots({ ...parts, disk: createTrashDisk(parts.holder) });
  const trash = new Trash({ ...parts, bins: [snapshots, trashedHosts(parts)] });
  const heldParts = { ...parts, disk: parts.snapshotDisk, trash: snapshots };
  return {
    trash,
    deleteSnapshot: async (host, name, deletion) =>
      trash.listed(await snapshots.delete(host, name, deletion)),
    held: {
      acknowledge: (host, name) => acknowledge(heldParts, host, name),
      discard: (host, name, by) => discardHeld(heldParts, host, { name, by }),
    },
  };
}
