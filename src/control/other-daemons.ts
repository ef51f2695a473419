/**
 * What this daemon knows of others on its database: it learns what became of hosts in their hands, settles the runs
 * that died ones left, and follows what the living do, so that its answers are as theirs.
 */
import type { LeaseStore, LeftRun } from '../core/lease.js';
import { allRunKinds, isActive, type RunRecord } from '../core/run.js';
import type { DaemonLease, LeaseLog } from './daemon-lease.js';
import type { HostClaims } from './host-claims.js';
import { settleLeft, type RecoveryParts } from './recovery.js';
import type { RunEvents } from './run-events.js';
import type { RunLifecycle } from './run-lifecycle.js';

export interface OtherDaemonsParts extends Omit<RecoveryParts, 'nextRevision'> {
  readonly store: Pick<LeaseStore, 'leftRuns' | 'adopt'>;
  readonly lease: Pick<DaemonLease, 'current' | 'others' | 'times'>;
  readonly claims: Pick<HostClaims, 'isOurs' | 'holderOf'>;
  readonly events: Pick<RunEvents, 'start' | 'publish' | 'nextRevision'>;
  readonly stopwatch: () => number;
  readonly log: LeaseLog;
}

/** The part of the lifecycle that hears of runs of others. */
type Lifecycle = Pick<RunLifecycle, 'history' | 'enqueue'>;

export class OtherDaemons {
  /** Runs of hosts that nobody here knows: since when they were seen to be left. */
  private readonly leftSinceMs = new Map<string, number>();
  /** The newest run of each kind and host that was seen. */
  private readonly seen = new Map<string, RunRecord>();

  constructor(private readonly parts: OtherDaemonsParts) {}

  /** Before hosts count as held: what others have made and done there. Throws DATABASE_UNAVAILABLE. */
  async learn(hosts: readonly string[], lifecycle: Lifecycle): Promise<void> {
    if (hosts.length === 0) return;
    await this.parts.events.start();
    for (const host of hosts) {
      await this.parts.catalog.reload(host);
      await lifecycle.history.loadHost(this.parts.runs, host);
    }
  }

  /**
   * Makes the runs that were left on hosts of this daemon its own, and answers them as they were; so a start settles
   * them together with those that its former life left. Throws DATABASE_UNAVAILABLE.
   */
  async adoptLeft(): Promise<RunRecord[]> {
    const { store, lease, runs } = this.parts;
    const left = await store.leftRuns();
    const adopted: RunRecord[] = [];
    for (const run of left) {
      if (!this.isForUs(run) || !(await store.adopt(lease.current, run.id))) continue;
      const record = await runs.get(run.id);
      if (record) adopted.push(record);
    }
    const ids = new Set(left.map(({ id }) => id));
    for (const id of this.leftSinceMs.keys()) if (!ids.has(id)) this.leftSinceMs.delete(id);
    return adopted;
  }

  /** Takes up the runs that wait, and settles those that were under way. Throws DATABASE_UNAVAILABLE. */
  async settleLeft(lifecycle: Lifecycle): Promise<void> {
    for (const run of await this.adoptLeft()) {
      if (run.state === 'QUEUED') {
        void lifecycle.enqueue(run);
        continue;
      }
      const nextRevision = (): number => this.parts.events.nextRevision();
      const settled = await settleLeft({ ...this.parts, nextRevision }, run);
      if (!settled) continue;
      const { id, host, state } = settled;
      this.parts.log.warn('a run was left by a daemon that died', { run: id, host, state });
      this.note(settled, lifecycle);
    }
  }

  /** Takes note of what other daemons have begun and ended since the last time. Throws DATABASE_UNAVAILABLE. */
  async follow(lifecycle: Lifecycle): Promise<void> {
    const { lease, runs, claims, catalog } = this.parts;
    if (lease.others.length === 0) return;
    for (const kind of allRunKinds) {
      for (const run of await runs.newestOfEachHost(kind)) {
        const key = `${kind} ${run.host}`;
        const known = this.seen.get(key) ?? (kind === 'backup' ? lifecycle.history.lastRun(run.host) : null);
        this.seen.set(key, run);
        // The first look at what ended long ago is no news.
        const isOld = known === null && !isActive(run.state);
        if (isOld || claims.isOurs(run.host) || (known?.id === run.id && known.state === run.state)) continue;
        if (!isActive(run.state)) await catalog.reload(run.host);
        this.note(run, lifecycle);
      }
    }
  }

  private note(run: RunRecord, lifecycle: Lifecycle): void {
    lifecycle.history.note(run);
    this.parts.events.publish({ run, progress: null });
  }

  /** A run of a host that this daemon does not know is settled by it only when nobody else does for long. */
  private isForUs({ id, host }: LeftRun): boolean {
    const { claims, catalog, stopwatch, lease } = this.parts;
    if (claims.isOurs(host)) return true;
    if (claims.holderOf(host) !== null || catalog.hosts().some(({ name }) => name === host)) return false;
    const since = this.leftSinceMs.get(id) ?? stopwatch();
    this.leftSinceMs.set(id, since);
    return stopwatch() - since >= lease.times.lengthMs;
  }
}
