/** Opens the database and builds what keeps and watches over the records; a part of the composition root. */
import { DatabaseWatch } from './control/database-watch.js';
import { durableRuns, durableSnapshots } from './control/durable-stores.js';
import { PendingWrites } from './control/pending-writes.js';
import type { DatabaseAddress } from './core/database-address.js';
import type { Clock, HostStore, RunStore, SnapshotStore } from './core/ports.js';
import type { Logger } from './log.js';
import { openDatabase, type Database, type MakeRoom } from './store/data-source.js';
import { createHostStore } from './store/hosts.js';
import { createRunStore } from './store/runs.js';
import { createSnapshotStore } from './store/snapshots.js';

export interface DaemonDatabase {
  readonly database: Database;
  readonly watch: DatabaseWatch;
  readonly runs: RunStore;
  readonly snapshots: SnapshotStore;
  readonly hosts: HostStore;
  /** Writes what was kept, if that is possible by now, and closes the database. */
  close(): Promise<void>;
}

/** Throws a DatabaseError with a sentence for the administrator. */
export async function openDaemonDatabase(
  address: DatabaseAddress,
  { clock, log, makeRoom }: { readonly clock: Clock; readonly log: Logger; readonly makeRoom: MakeRoom },
): Promise<DaemonDatabase> {
  const watch = new DatabaseWatch({ clock, log });
  const writes = new PendingWrites((message, error) => void log.error(message, { error }));
  const database = await openDatabase(address, watch.note, makeRoom);
  watch.start(async () => {
    await writes.flush();
    await database.ping();
  });
  return {
    database,
    watch,
    runs: durableRuns(createRunStore(database), writes),
    snapshots: durableSnapshots(createSnapshotStore(database), writes),
    hosts: createHostStore(database),
    close: async () => {
      await watch.stop();
      await writes.flush().catch(() => {
        log.error(
          'the database is away; what it has not heard of is taken from the backup disks at the next start',
          {
            changes: writes.count,
          },
        );
      });
      await database.close();
    },
  };
}
