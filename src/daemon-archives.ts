/** What archives need is built here; a part of the composition root. */
import type { ArchivingParts } from './control/archive-parts.js';
import type { Audit } from './control/audit.js';
import type { Catalog } from './control/catalog.js';
import type { Pruner } from './control/pruner.js';
import type { RunLifecycle } from './control/run-lifecycle.js';
import type { SnapshotDisk } from './core/ports.js';
import { archiveDisk } from './execute/archive-disk.js';
import { createArchiveStore } from './store/archives.js';
import type { Database } from './store/data-source.js';

export interface ArchivingSources {
  readonly database: Database;
  readonly audit: Audit;
  readonly catalog: Pick<Catalog, 'snapshots'>;
  readonly snapshotDisk: Pick<SnapshotDisk, 'locate'>;
  /** These are built later than the runs that need them. */
  readonly pruner: () => Pruner;
  readonly lifecycle: () => RunLifecycle;
}

export function createArchiving(sources: ArchivingSources): ArchivingParts {
  const { database, catalog, snapshotDisk, audit } = sources;
  return {
    archives: createArchiveStore(database),
    archiveDisk,
    audit,
    onDisk: async ({ name }) => {
      const recorded = catalog.snapshots(name);
      const places = await snapshotDisk.locate(recorded);
      return recorded.filter((snapshot) => places.get(snapshot) === 'present');
    },
    failuresOf: (host) => sources.lifecycle().failuresAgainstExpiry(host),
    alone: (host, work) => sources.pruner().alone(host, work),
    remove: (removal) => sources.pruner().remove(removal),
  };
}
