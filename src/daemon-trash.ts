/** Builds the trash: what is deleted by a call goes through it; a part of the composition root. */
import type { ArchivingParts } from './control/archive-parts.js';
import type { Audit } from './control/audit.js';
import type { Catalog } from './control/catalog.js';
import { acknowledge, discardHeld } from './control/held-snapshots.js';
import type { HostHold } from './control/host-claims.js';
import type { HostRegistry } from './control/host-registry.js';
import type { Pruner } from './control/pruner.js';
import type { RunLifecycle } from './control/run-lifecycle.js';
import { Trash } from './control/trash.js';
import { trashedHosts } from './control/trashed-hosts.js';
import { TrashedArchives } from './control/trashed-archives.js';
import { TrashedSnapshots } from './control/trashed-snapshots.js';
import type { Clock, HostStore, SnapshotDisk } from './core/ports.js';
import { ArchiveDisks } from './execute/archive-disks.js';
import { createArchiveTrash } from './execute/archive-trash.js';
import type { LockHolder } from './execute/backupdir-lock.js';
import { createTrashDisk } from './execute/trash-dir.js';
import type { Logger } from './log.js';
import type { ArchiveParts } from './rpc/archives.js';
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
  readonly archiving: ArchivingParts;
  readonly audit: Audit;
  readonly log: Logger;
}

export interface DaemonTrash
  extends Pick<SnapshotParts, 'held' | 'deleteSnapshot'>, Pick<ArchiveParts, 'deleteArchive'> {
  readonly trash: Trash;
}

export function createTrash(parts: DaemonTrashParts): DaemonTrash {
  const snapshots = new TrashedSnapshots({ ...parts, disk: createTrashDisk(parts.holder) });
  const archives = new TrashedArchives({ ...parts, archiveTrash: createArchiveTrash(new ArchiveDisks()) });
  const trash = new Trash({ ...parts, bins: [snapshots, archives, trashedHosts(parts)] });
  const heldParts = { ...parts, disk: parts.snapshotDisk, trash: snapshots };
  return {
    trash,
    deleteSnapshot: async (host, name, deletion) =>
      trash.listed(await snapshots.delete(host, name, deletion)),
    deleteArchive: async (host, name, by) => {
      const { entry, ...deleted } = await archives.delete(host, name, by);
      return { ...deleted, entry: entry && trash.listed(entry) };
    },
    held: {
      acknowledge: (host, name) => acknowledge(heldParts, host, name),
      discard: (host, name, by) => discardHeld(heldParts, host, { name, by }),
    },
  };
}
