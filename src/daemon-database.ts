/** Opens the database and builds what keeps and watches over the records; a part of the composition root. */
import { hostname } from 'node:os';
import type { Config } from './config.js';
import { DaemonLease } from './control/daemon-lease.js';
import { DatabaseWatch } from './control/database-watch.js';
import { durableRuns, durableSnapshots } from './control/durable-stores.js';
import { PendingWrites } from './control/pending-writes.js';
import type { RunLifecycle } from './control/run-lifecycle.js';
import type { Scheduler } from './control/scheduler.js';
import type { TokenStore } from './core/access-token.js';
import { formatDatabase } from './core/database-address.js';
import type { DaemonIdentity, LeaseStore } from './core/lease.js';
import type { Clock, HostStore, RunStore, SnapshotStore } from './core/ports.js';
import { takePassword } from './daemon-secrets.js';
import type { Logger } from './log.js';
import { openDatabase, type Database, type MakeRoom } from './store/data-source.js';
import { createHostStore } from './store/hosts.js';
import { createLeaseStore } from './store/leases.js';
import { createRunStore } from './store/runs.js';
import { createSnapshotStore } from './store/snapshots.js';
import { createTokenStore } from './store/tokens.js';
import { homeOf } from './store/state-lock.js';

/** What there is of a database that other daemons may use too. */
export interface SharedRecords {
  readonly store: LeaseStore;
  readonly lease: DaemonLease;
  /** What tells the database from others; and how people know it. */
  readonly databaseId: string;
  readonly database: string;
}

export interface DaemonDatabase {
  readonly database: Database;
  readonly watch: DatabaseWatch;
  readonly runs: RunStore;
  readonly snapshots: SnapshotStore;
  readonly hosts: HostStore;
  readonly tokens: TokenStore;
  /** Null where the database is a file of this daemon alone. */
  readonly shared: SharedRecords | null;
  /** Writes what was kept, if that is possible by now, and closes the database. */
  close(): Promise<void>;
}

/** Throws a DatabaseError with a sentence for the administrator. */
export async function openDaemonDatabase(
  config: Pick<Config, 'database' | 'stateDir' | 'takeoverAfterMs'>,
  { clock, log, makeRoom }: { readonly clock: Clock; readonly log: Logger; readonly makeRoom: MakeRoom },
): Promise<DaemonDatabase> {
  const watch = new DatabaseWatch({ clock, log });
  const writes = new PendingWrites((message, error) => void log.error(message, { error }));
  const database = await openDatabase(takePassword(config.database), watch.note, makeRoom);
  watch.start(async () => {
    await writes.flush();
    await database.ping();
  });
  const shared = await beginSharing(config, database, { clock, log }).catch(async (error: unknown) => {
    await watch.stop();
    await database.close();
    throw error;
  });
  const lease = shared?.lease;
  return {
    database,
    watch,
    shared,
    runs: durableRuns(createRunStore(database, lease && (() => lease.current)), writes),
    snapshots: durableSnapshots(createSnapshotStore(database), writes),
    hosts: createHostStore(database),
    tokens: createTokenStore(database),
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

/** While the database is away no run begins, and the daemon says that it is not well. */
export function heedDatabase(
  watch: DatabaseWatch,
  parts: {
    readonly lifecycle: Pick<RunLifecycle, 'hold' | 'goOn'>;
    readonly scheduler: Pick<Scheduler, 'look'>;
    readonly setHealthy: (isHealthy: boolean) => void;
  },
): void {
  const heed = (isAway: boolean): void => {
    parts.setHealthy(!isAway);
    if (isAway) return parts.lifecycle.hold();
    parts.lifecycle.goOn();
    void parts.scheduler.look();
  };
  watch.onChange(heed);
  if (watch.unavailableSince !== null) heed(true);
}

/** What this process makes itself known by to others on the same database. Throws as the file system does. */
export async function identityOf(stateDir: string, clock: Clock): Promise<DaemonIdentity> {
  return {
    home: await homeOf(stateDir),
    hostname: hostname(),
    pid: process.pid,
    startedAt: clock.now(),
  };
}

async function beginSharing(
  { database: address, stateDir, takeoverAfterMs }: Pick<Config, 'database' | 'stateDir' | 'takeoverAfterMs'>,
  database: Database,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<SharedRecords | null> {
  if (address.kind === 'sqlite') return null;
  const store = createLeaseStore(database);
  const lease = new DaemonLease({
    store,
    identity: await identityOf(stateDir, clock),
    takeoverAfterMs,
    stopwatch: () => performance.now(),
    log,
  });
  await lease.begin();
  return { store, lease, databaseId: await store.databaseId(), database: formatDatabase(address) };
}
