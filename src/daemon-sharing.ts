/** Lets this daemon share its database with others; a part of the composition root. See core/lease.ts for the rule. */
import type { Catalog } from './control/catalog.js';
import { HostClaims, soleDaemon, type HostHold } from './control/host-claims.js';
import { OtherDaemons } from './control/other-daemons.js';
import type { RecoveryParts } from './control/recovery.js';
import type { RunEvents } from './control/run-events.js';
import type { RunLifecycle } from './control/run-lifecycle.js';
import { isDatabaseAway } from './core/errors.js';
import type { OtherDaemon } from './core/lease.js';
import { isActive, type RunRecord } from './core/run.js';
import type { SharedRecords } from './daemon-database.js';
import type { LockHolder } from './execute/backupdir-lock.js';
import type { DiskNames } from './execute/disk.js';
import type { Logger } from './log.js';

export interface SharingParts extends Omit<RecoveryParts, 'nextRevision'> {
  readonly catalog: Catalog;
  readonly events: RunEvents;
  readonly disks: DiskNames;
  readonly log: Logger;
}

/** What is told when hosts come and go. */
export interface SharingListeners {
  readonly lifecycle: RunLifecycle;
  /** Reads what was told of hosts by mail. */
  readonly learnMail: (hosts: readonly string[]) => Promise<void>;
  /** Runs may go on for so long. */
  readonly mayGoOn: (ms: number) => void;
  /** Hosts may be due. */
  readonly look: () => void;
  readonly mayBegin: () => boolean;
}

export interface Sharing {
  readonly hold: HostHold;
  readonly holder: LockHolder;
  /** The other daemons, and how many hosts each has. */
  others(): readonly (OtherDaemon & { readonly hostCount: number })[];
  /** Takes the hosts that are free, and the runs that were left there. Call it before the snapshots are read. */
  settleIn(): Promise<void>;
  /** Keeps the lease from now on. */
  keep(listeners: SharingListeners): void;
  /** Gives all back, and answers whether no other daemon is left. */
  leave(): Promise<boolean>;
}

export function createSharing(shared: SharedRecords | null, parts: SharingParts): Sharing {
  return shared === null ? alone() : together(shared, parts);
}

function alone(): Sharing {
  return {
    hold: soleDaemon,
    holder: process.pid,
    others: () => [],
    settleIn: () => Promise.resolve(),
    keep: () => {},
    leave: () => Promise.resolve(true),
  };
}

/** One kind of each lane. */
const busyKinds = ['backup', 'verify', 'restore'] as const;

/** Milliseconds, of a clock that nobody sets. */
function stopwatch(): number {
  return performance.now();
}

function together({ store, lease, databaseId, database }: SharedRecords, parts: SharingParts): Sharing {
  const { catalog, disks, log } = parts;
  let lifecycle: RunLifecycle | null = null;
  const claims = new HostClaims({
    store,
    lease,
    hosts: () => catalog.hosts(),
    isBusy: (host) => busyKinds.some((kind) => lifecycle?.isBusy(host, kind)),
    // What cannot be read, or hangs, has no name but its own.
    canReach: async (backupdir) => (await disks.nameOf(backupdir)) !== backupdir,
    stopwatch,
    log,
  });
  const others = new OtherDaemons({ ...parts, store, lease, claims, stopwatch });
  let following: Promise<void> | null = null;
  // A disk that hangs over what a dead daemon left must not keep this one from its hosts.
  const followOthers = (runs: RunLifecycle): void => {
    const work = async (): Promise<void> => {
      await others.settleLeft(runs);
      await others.follow(runs);
    };
    following ??= work()
      .catch((error: unknown) => {
        if (!isDatabaseAway(error)) log.error('what other daemons did cannot be followed', { error });
      })
      .finally(() => (following = null));
  };
  return {
    hold: claims,
    holder: { databaseId, database },
    others: () => lease.others.map((other) => ({ ...other, hostCount: claims.countOf(other) })),
    settleIn: async () => {
      await claims.look();
      await others.adoptLeft();
    },
    keep: (listeners) => {
      ({ lifecycle } = listeners);
      const { lifecycle: runs, learnMail, mayGoOn, look, mayBegin } = listeners;
      claims.learnWith(async (hosts) => {
        await others.learn(hosts, runs);
        await learnMail(hosts);
      });
      lease.keep({
        onMayGoOn: mayGoOn,
        onMustStop: () => runs.surrender(false),
        onLost: () => {
          claims.dropAll();
          runs.surrender(true);
        },
        onRenewed: async () => {
          const hasMore = await claims.look();
          followOthers(runs);
          if (mayBegin()) runs.goOn();
          if (hasMore) look();
        },
      });
    },
    leave: async () => (await lease.end()) === 0,
  };
}

/** The hosts of a catalog that are this daemon's. */
export function ownPart(catalog: Catalog, hold: HostHold): Pick<Catalog, 'hosts' | 'host' | 'snapshots'> {
  return {
    hosts: () => catalog.hosts().filter(({ name }) => hold.isOurs(name)),
    host: (name) => catalog.host(name),
    snapshots: (host) => catalog.snapshots(host),
  };
}

/** A run whose log is read. Throws HOST_ELSEWHERE while another daemon carries it out: that one writes the log. */
export async function getLoggedHere(lifecycle: RunLifecycle, hold: HostHold, id: string): Promise<RunRecord> {
  const run = await lifecycle.get(id);
  if (isActive(run.state)) hold.refuseElsewhere(run.host);
  return run;
}
