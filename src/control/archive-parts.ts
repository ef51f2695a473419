/** What runs that archive need from outside, besides what all runs need. */
import type { Audit } from './audit.js';
import type { Host } from '../core/host.js';
import type { ArchiveDisk, ArchiveStore } from '../core/archive-ports.js';
import type { SnapshotRecord } from '../core/snapshot.js';

export interface ArchivingParts {
  readonly archives: ArchiveStore;
  readonly archiveDisk: ArchiveDisk;
  /** Is told of archives that a rule removes. */
  readonly audit: Pick<Audit, 'note'>;
  /** Those of the host's snapshots that are on the disk now, newest first. Never throws. */
  readonly onDisk: (host: Host) => Promise<readonly SnapshotRecord[]>;
  /** How many of the host's last runs failed, as far as that keeps snapshots from being removed. */
  readonly failuresOf: (host: string) => number;
  /** Does a piece of work while nothing is removed on the backup disk of a host. */
  readonly alone: <T>(host: Host, work: () => Promise<T>) => Promise<T>;
  /** Removes a snapshot as one that has expired; to be called `alone`. Throws as `Pruner.remove`. */
  readonly remove: (removal: { snapshot: SnapshotRecord; reason: string }) => Promise<void>;
}
