/**
 * Which hosts are in the hands of this daemon where several share one database: takes those that nobody has, and those
 * of daemons that died. Who takes a host learns first what became of it in other hands.
 */
import { Mutex } from 'async-mutex';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { mayClaim, mayGoOnMs, mayTakeOver, type LeaseStore, type OtherDaemon } from '../core/lease.js';
import type { DaemonLease, LeaseLog } from './daemon-lease.js';

/** What the parts of a daemon ask before they work on a host. */
export interface HostHold {
  /** Whether this daemon has the host. */
  isOurs(host: string): boolean;
  /** Settles when this daemon has the host. Throws HOST_ELSEWHERE or HOST_NOT_HELD. */
  require(host: string): Promise<void>;
  /** Throws HOST_ELSEWHERE when another daemon is known to have the host. */
  refuseElsewhere(host: string): void;
  /** Whether this daemon is the one that sends what waits in the outbox, and the digest. */
  isPostman(): boolean;
}

/** Where the database is of one daemon alone. */
export const soleDaemon: HostHold = {
  isOurs: () => true,
  require: () => Promise.resolve(),
  refuseElsewhere: () => {},
  isPostman: () => true,
};

export interface HostClaimsParts {
  readonly store: Pick<LeaseStore, 'takeAway' | 'heldByOthers' | 'claim' | 'release'>;
  readonly lease: Pick<DaemonLease, 'current' | 'others' | 'own' | 'times'>;
  readonly hosts: () => readonly Host[];
  /** Whether a host has a run that has not ended. */
  readonly isBusy: (host: string) => boolean;
  /** Whether a backup directory is there. Never throws. */
  readonly canReach: (backupdir: string) => Promise<boolean>;
  readonly stopwatch: () => number;
  readonly log: LeaseLog;
}

/** No host has it: names of hosts are not empty. Who holds it is the postman. */
const post = '';

export class HostClaims implements HostHold {
  private readonly held = new Set<string>();
  private elsewhere: ReadonlyMap<string, OtherDaemon> = new Map();
  private readonly freeSinceMs = new Map<string, number>();
  private readonly turn = new Mutex();
  private learn: (hosts: readonly string[]) => Promise<void> = () => Promise.resolve();

  constructor(private readonly parts: HostClaimsParts) {}

  /** `learn` makes known what became of hosts before they count as held; it may throw, and is called again then. */
  learnWith(learn: (hosts: readonly string[]) => Promise<void>): void {
    this.learn = learn;
  }

  isOurs(host: string): boolean {
    return this.held.has(host) && this.isTrusted();
  }

  isPostman(): boolean {
    return this.isOurs(post);
  }

  /** The daemon that has a host, where it is another. */
  holderOf(host: string): OtherDaemon | null {
    return this.elsewhere.get(host) ?? null;
  }

  /** How many hosts each of the other daemons has. */
  countOf(other: OtherDaemon): number {
    return [...this.elsewhere].filter(([host, { lease }]) => host !== post && lease === other.lease).length;
  }

  async require(host: string): Promise<void> {
    if (this.isOurs(host)) return;
    await this.turn.runExclusive(() => this.take([host]));
    if (this.isOurs(host)) return;
    this.refuseElsewhere(host);
    throw new BusyError('HOST_NOT_HELD', { host, detail: 'this daemon is out of touch with the database' });
  }

  refuseElsewhere(host: string): void {
    const holder = this.holderOf(host);
    if (!holder) return;
    const { hostname, pid } = holder;
    throw new BusyError('HOST_ELSEWHERE', { host, machine: hostname, pid: String(pid) });
  }

  /**
   * One pass: takes over from daemons that died, and takes what is free. Answers whether it took any. Throws
   * DATABASE_UNAVAILABLE.
   */
  look(): Promise<boolean> {
    return this.turn.runExclusive(async () => {
      await this.takeOver();
      const wanted = new Set([post, ...this.parts.hosts().map(({ name }) => name)]);
      await this.giveBack([...this.held].filter((name) => !wanted.has(name) && !this.parts.isBusy(name)));
      return this.take(await this.claimable([...wanted]));
    });
  }

  /** All is in other hands. */
  dropAll(): void {
    this.held.clear();
  }

  private isTrusted(): boolean {
    const { lease } = this.parts;
    return mayGoOnMs(lease.own(), lease.times) > 0;
  }

  private async takeOver(): Promise<void> {
    const { lease, store, log } = this.parts;
    for (const other of lease.others) {
      const { isYes, reason } = mayTakeOver(other, lease.own(), lease.times);
      if (!isYes || !(await store.takeAway(other.lease))) continue;
      const { hostname, pid } = other;
      log.warn('another daemon has died, its hosts are taken over', { hostname, pid, why: reason });
    }
  }

  /** What nobody has and this daemon may take. */
  private async claimable(names: readonly string[]): Promise<string[]> {
    const { store, lease, hosts, canReach, stopwatch } = this.parts;
    this.elsewhere = await store.heldByOthers(lease.current);
    const free = names.filter((name) => !this.held.has(name) && !this.elsewhere.has(name));
    for (const name of this.freeSinceMs.keys()) if (!free.includes(name)) this.freeSinceMs.delete(name);
    const backupdirOf = new Map(hosts().map(({ name, backupdir }) => [name, backupdir]));
    const reachable = new Map<string, boolean>();
    const claimable: string[] = [];
    for (const name of free) {
      const backupdir = backupdirOf.get(name);
      const isReachable =
        backupdir === undefined || (reachable.get(backupdir) ?? (await canReach(backupdir)));
      if (backupdir !== undefined) reachable.set(backupdir, isReachable);
      const since = this.freeSinceMs.get(name) ?? stopwatch();
      this.freeSinceMs.set(name, since);
      const freeForMs = stopwatch() - since;
      if (mayClaim({ isReachable, freeForMs }, lease.own(), lease.times).isYes) claimable.push(name);
    }
    return claimable;
  }

  private async take(names: readonly string[]): Promise<boolean> {
    const { store, lease } = this.parts;
    if (names.length === 0) return false;
    const number = lease.current;
    const claimed = await store.claim(number, names);
    if (claimed.length < names.length) this.elsewhere = await store.heldByOthers(number);
    const taken = claimed.filter((name) => !this.held.has(name));
    await this.learn(taken.filter((name) => name !== post));
    // Where the lease was lost meanwhile, all that was claimed by it was lost too.
    if (lease.current !== number) return false;
    for (const name of taken) this.held.add(name);
    return taken.length > 0;
  }

  /** Hosts that are no longer configured. */
  private async giveBack(names: readonly string[]): Promise<void> {
    await this.parts.store.release(this.parts.lease.current, names);
    for (const name of names) this.held.delete(name);
  }
}
