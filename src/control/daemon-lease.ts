/**
 * The lease of this daemon in a database that others may share: renews it all the time, and tells how long the runs of
 * this daemon may go on. The rule that it keeps is in core/lease.ts.
 */
import {
  leaseTimes,
  mayGoOnMs,
  type DaemonIdentity,
  type LeaseStore,
  type LeaseTimes,
  type OtherDaemon,
  type OwnLease,
} from '../core/lease.js';
import { isDatabaseAway } from '../core/errors.js';

export interface LeaseLog {
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
  error(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface DaemonLeaseParts {
  readonly store: Pick<LeaseStore, 'begin' | 'renew' | 'end'>;
  readonly identity: DaemonIdentity;
  readonly takeoverAfterMs: number;
  /** Milliseconds since any moment, of a clock that nobody sets. */
  readonly stopwatch: () => number;
  readonly log: LeaseLog;
}

/** What others do about the lease. None of them may throw. */
export interface LeaseListener {
  /** The lease was renewed; settles when what follows from it is done. */
  onRenewed(): Promise<void>;
  /** Runs may go on for so long from now, whatever happens to this process. */
  onMayGoOn(ms: number): void;
  /** Runs must stop now; told again and again while that is so. */
  onMustStop(): void;
  /** Another daemon has taken over all that this one had. */
  onLost(): void;
}

export class DaemonLease {
  readonly times: LeaseTimes;
  private number = 0;
  private renewedAtMs = -Infinity;
  private inTouchSinceMs = 0;
  private known: readonly OtherDaemon[] = [];
  private listener: LeaseListener | null = null;
  private timer: NodeJS.Timeout | undefined;
  private renewing: Promise<void> | null = null;
  private following: Promise<void> | null = null;

  constructor(private readonly parts: DaemonLeaseParts) {
    this.times = leaseTimes(parts.takeoverAfterMs);
  }

  /** The number that all that is done in the database names. */
  get current(): number {
    return this.number;
  }

  /** The other daemons at the last renewal. */
  get others(): readonly OtherDaemon[] {
    return this.known;
  }

  /** What is known of the lease at this moment. */
  own(): OwnLease {
    const nowMs = this.parts.stopwatch();
    return {
      sinceRenewedMs: nowMs - this.renewedAtMs,
      inTouchMs: nowMs - this.inTouchSinceMs,
      othersKnown: this.known.length,
    };
  }

  /** Begins the lease; nothing keeps it alive before `keep`. Throws DATABASE_UNAVAILABLE. */
  async begin(): Promise<void> {
    const nowMs = this.parts.stopwatch();
    this.number = await this.parts.store.begin(this.parts.identity, this.times.lengthMs);
    this.known = (await this.parts.store.renew(this.number, this.times.lengthMs)) ?? [];
    this.renewedAtMs = nowMs;
    this.inTouchSinceMs = nowMs;
  }

  /** Renews it from now on. */
  keep(listener: LeaseListener): void {
    this.listener = listener;
    this.timer = setInterval(() => this.beat(), this.times.renewEveryMs);
    this.beat();
  }

  /**
   * Gives it back, so that others need not wait for its end, and answers how many other daemons there are; null when
   * nobody can say. Never throws.
   */
  async end(): Promise<number | null> {
    clearInterval(this.timer);
    await this.renewing;
    try {
      return await this.parts.store.end(this.number);
    } catch (error) {
      this.parts.log.warn('the lease could not be given back; others wait until it ends', { error });
      return null;
    }
  }

  private beat(): void {
    // Before the renewal, which may hang: a process that was frozen sees here that its time is over.
    const goOnMs = mayGoOnMs(this.own(), this.times);
    if (goOnMs > this.times.renewEveryMs) this.listener?.onMayGoOn(goOnMs);
    else this.listener?.onMustStop();
    this.renewing ??= this.renew()
      .catch((error: unknown) => this.report('the lease could not be renewed', error))
      .finally(() => (this.renewing = null));
  }

  /** That the database is away is told by its watch. */
  private report(message: string, error: unknown): void {
    if (!isDatabaseAway(error)) this.parts.log.error(message, { error });
  }

  private async renew(): Promise<void> {
    const { store, log, stopwatch } = this.parts;
    const nowMs = stopwatch();
    const others = await store.renew(this.number, this.times.lengthMs);
    if (others === null) {
      log.error('another daemon has taken over the hosts of this one, which was not heard of for too long', {
        seconds: Math.round((nowMs - this.renewedAtMs) / 1000),
      });
      this.listener?.onLost();
      await this.begin();
    } else {
      if (nowMs - this.renewedAtMs > this.times.trustMs) this.inTouchSinceMs = nowMs;
      this.renewedAtMs = nowMs;
      this.known = others;
      this.listener?.onMayGoOn(mayGoOnMs(this.own(), this.times));
    }
    // Not waited for: what may take long must not keep the lease from being renewed.
    this.following ??= this.follow().finally(() => (this.following = null));
  }

  private async follow(): Promise<void> {
    try {
      await this.listener?.onRenewed();
    } catch (error) {
      this.report('the hosts that this daemon may have could not be looked at', error);
    }
  }
}
