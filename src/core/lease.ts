/**
 * Who may work on which host where several daemons share one database. The rule, which keeps two of them from ever
 * backing up one host at once:
 *
 * Each daemon has a lease in the database, and holds hosts by it. All its times follow from `takeover_after`, T:
 * 1. It renews the lease all the time. In the database a lease ends T after its last renewal, by the clock of the
 *    database; so the clocks of the machines need not agree.
 * 2. It trusts its lease for T/2 from the beginning of the last renewal that succeeded, by a clock of its own that is
 *    never set. After that it begins no run and stops those that it has; the other half of T is for them to end.
 *    Executors hear from it how long they may go on, and stop by themselves when it is frozen.
 * 3. Another daemon takes over what has ended so, but only when it was itself in touch with the database for T without a
 *    gap: when the database was away for all, all have the time to renew first.
 * 4. A takeover is one statement that takes the lease away. From then on the former holder renews nothing, and whatever
 *    it believes, it begins nothing and changes no run: each of its writes names its lease.
 * 5. A daemon that knew of no other at its last renewal goes on with its runs, as there is nobody to take over: an
 *    outage of the database costs it no backup. One that starts meanwhile waits T by the third rule.
 * The lock in each backup directory (execute/backupdir-lock.ts) keeps out what has another database.
 */

/** A daemon as it makes itself known to the others. */
export interface DaemonIdentity {
  /** Stays the same over restarts: what another life of the same daemon left is its own. */
  readonly home: string;
  readonly hostname: string;
  readonly pid: number;
  readonly startedAt: Date;
}

/** Another daemon on the same database, as long as nobody has taken its lease away. */
export interface OtherDaemon {
  /** The number of its lease. */
  readonly lease: number;
  readonly hostname: string;
  readonly pid: number;
  /** It has not renewed its lease in time. */
  readonly hasExpired: boolean;
}

/** A run that has not ended, and belongs to no daemon that has a lease. */
export interface LeftRun {
  readonly id: string;
  readonly host: string;
}

/** The leases of daemons, and the hosts that they hold. Times are those of the database. */
export interface LeaseStore {
  /** What tells this database from all others; the same for all who use it. */
  databaseId(): Promise<string>;
  /** Begins a lease and answers its number, which no other lease ever had. Ends that of a former life of the daemon. */
  begin(daemon: DaemonIdentity, lengthMs: number): Promise<number>;
  /** Renews a lease and answers the other daemons, or null when the lease was taken away. */
  renew(lease: number, lengthMs: number): Promise<readonly OtherDaemon[] | null>;
  /** Takes away a lease that has expired and is not renewed meanwhile; answers whether this call did. */
  takeAway(lease: number): Promise<boolean>;
  /** Gives the lease back, and all hosts with it; answers how many other daemons there are. */
  end(lease: number): Promise<number>;
  /** The hosts that other daemons hold. */
  heldByOthers(lease: number): Promise<ReadonlyMap<string, OtherDaemon>>;
  /** Takes those hosts that nobody holds; answers which of them the lease holds now. */
  claim(lease: number, hosts: readonly string[]): Promise<string[]>;
  release(lease: number, hosts: readonly string[]): Promise<void>;
  /** Oldest first. */
  leftRuns(): Promise<LeftRun[]>;
  /** Makes a run that was left one of this lease; answers whether it was still left and had not ended. */
  adopt(lease: number, runId: string): Promise<boolean>;
}

export interface LeaseTimes {
  readonly renewEveryMs: number;
  readonly trustMs: number;
  readonly lengthMs: number;
}

/** What a daemon knows of its own lease. */
export interface OwnLease {
  /** Since the beginning of the last renewal that succeeded. */
  readonly sinceRenewedMs: number;
  /** For how long it has been in touch with the database without a gap. */
  readonly inTouchMs: number;
  /** Other daemons at the last renewal, also those that had expired. */
  readonly othersKnown: number;
}

export interface LeaseVerdict {
  readonly isYes: boolean;
  readonly reason: string;
}

export function leaseTimes(takeoverAfterMs: number): LeaseTimes {
  return { renewEveryMs: takeoverAfterMs / 12, trustMs: takeoverAfterMs / 2, lengthMs: takeoverAfterMs };
}

/** For how long runs may go on from now, in milliseconds; 0: they must stop. */
export function mayGoOnMs({ sinceRenewedMs, othersKnown }: OwnLease, { trustMs }: LeaseTimes): number {
  if (othersKnown === 0) return trustMs;
  return Math.max(0, trustMs - sinceRenewedMs);
}

/** Whether what another daemon holds may be taken over now. */
export function mayTakeOver(
  other: Pick<OtherDaemon, 'hasExpired'>,
  own: OwnLease,
  times: LeaseTimes,
): LeaseVerdict {
  if (!other.hasExpired) return { isYes: false, reason: 'its lease has not ended' };
  if (own.sinceRenewedMs > times.trustMs)
    return { isYes: false, reason: 'this daemon is out of touch with the database itself' };
  const missing = times.lengthMs - own.inTouchMs;
  if (missing > 0) {
    const seconds = Math.ceil(missing / 1000);
    return {
      isYes: false,
      reason: `it has another ${seconds} s to renew, as long as this daemon is in touch with the database`,
    };
  }
  return { isYes: true, reason: `it was not heard of for ${Math.round(times.lengthMs / 1000)} s` };
}

/**
 * Whether a host that nobody holds may be taken. Where its backup directory is not there, others go first: they may
 * reach it. When none of them does, someone must try, and say what is wrong.
 */
export function mayClaim(
  { isReachable, freeForMs }: { readonly isReachable: boolean; readonly freeForMs: number },
  own: OwnLease,
  times: LeaseTimes,
): LeaseVerdict {
  if (mayGoOnMs(own, times) === 0)
    return { isYes: false, reason: 'this daemon is out of touch with the database' };
  if (isReachable) return { isYes: true, reason: 'nobody has it' };
  if (own.othersKnown === 0) return { isYes: true, reason: 'there is no other daemon' };
  if (freeForMs < times.lengthMs)
    return { isYes: false, reason: 'its backup directory is not there, and another daemon may reach it' };
  return { isYes: true, reason: 'nobody has it, and nobody else takes it' };
}
