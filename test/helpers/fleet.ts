/**
 * A simulated fleet for the scheduler: time moves by hand, hosts come and go, backups take their time and may fail.
 * Only the scheduler and its rules are real.
 */
import { Scheduler } from '../../src/control/scheduler.js';
import { BusyError } from '../../src/core/errors.js';
import type { Host } from '../../src/core/host.js';
import type { RunRecord } from '../../src/core/run.js';
import { noTransfer, snapshotName, type SnapshotRecord } from '../../src/core/snapshot.js';

export interface FleetHost {
  readonly host: Host;
  isOnlineAt(moment: Date): boolean;
  /** Of 100 backups so many fail. */
  readonly failsOf100: number;
}

export interface Start {
  readonly host: string;
  readonly at: Date;
  readonly succeeded: boolean;
}

export class Fleet {
  /** All backups that were started, in order. */
  readonly starts: Start[] = [];
  now: Date;
  scheduler: Scheduler;
  private readonly running = new Map<string, { endsAt: number; run: RunRecord; succeeds: boolean }>();
  private readonly snapshotsOf = new Map<string, SnapshotRecord[]>();
  private readonly lastRuns = new Map<string, RunRecord>();
  private readonly failures = new Map<string, number>();
  private readonly members: ReadonlyMap<string, FleetHost>;

  constructor(
    members: readonly FleetHost[],
    start: Date,
    private readonly random: () => number,
  ) {
    this.members = new Map(members.map((member) => [member.host.name, member]));
    this.now = start;
    this.scheduler = this.newScheduler();
  }

  /** The daemon is started anew: what the scheduler remembered is gone. */
  restart(): void {
    this.scheduler = this.newScheduler();
  }

  /** Moves the clock and lets backups end that are over by then. */
  advance(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
    for (const [name, { endsAt, run, succeeds }] of this.running) {
      if (this.now.getTime() >= endsAt) this.end(name, run, succeeds);
    }
  }

  private end(name: string, run: RunRecord, succeeds: boolean): void {
    this.running.delete(name);
    const state = succeeds ? 'SUCCEEDED' : 'FAILED';
    this.lastRuns.set(name, { ...run, state, endedAt: this.now });
    this.failures.set(name, succeeds ? 0 : (this.failures.get(name) ?? 0) + 1);
    if (!succeeds) return;
    const startedAt = run.createdAt;
    const snapshot: SnapshotRecord = {
      host: name,
      name: snapshotName(startedAt, 'incremental'),
      type: 'incremental',
      outcome: 'SUCCEEDED',
      path: '',
      startedAt,
      committedAt: this.now,
      runId: run.id,
      linkBases: [],
      sources: [],
      stats: noTransfer,
      missingFileCount: 0,
      heldFor: [],
      manifest: null,
      verifiedAt: null,
      damagedFileCount: 0,
    };
    this.snapshotsOf.set(name, [snapshot, ...(this.snapshotsOf.get(name) ?? [])]);
  }

  private newScheduler(): Scheduler {
    const host = (name: string): Host => {
      const member = this.members.get(name);
      if (!member) throw new BusyError('HOST_NOT_FOUND', { host: name });
      return member.host;
    };
    const hosts = [...this.members.values()].map((member) => member.host);
    return new Scheduler({
      clock: { now: () => this.now },
      catalog: { hosts: () => hosts, host, snapshots: (name = '') => this.snapshotsOf.get(name) ?? [] },
      lifecycle: {
        trigger: async (request) => this.trigger(request.host),
        isBusy: (name) => this.running.has(name),
        lastRun: (name) => this.lastRuns.get(name) ?? null,
        failuresInRow: (name) => this.failures.get(name) ?? 0,
      },
      lookFor: async ({ name }) => ({
        isOnline: this.members.get(name)?.isOnlineAt(this.now) ?? false,
        reason: '',
      }),
      onError: (message, error) => {
        throw new Error(message, { cause: error });
      },
    });
  }

  private trigger(name: string): RunRecord {
    if (this.running.has(name)) throw new Error(`${name} was started twice at once`);
    const succeeds = this.random() * 100 >= (this.members.get(name)?.failsOf100 ?? 0);
    this.starts.push({ host: name, at: this.now, succeeded: succeeds });
    const run: RunRecord = {
      id: `run-${this.starts.length}`,
      kind: 'backup',
      host: name,
      state: 'RUNNING',
      requestedType: 'auto',
      type: 'incremental',
      typeReason: '',
      createdAt: this.now,
      startedAt: this.now,
      endedAt: null,
      snapshot: null,
      error: null,
      jobs: [],
      verification: null,
      archiving: null,
      restore: null,
      drill: null,
      requestId: null,
      isScheduled: false,
      acceptsChanges: false,
      revision: this.starts.length,
    };
    const endsAt = this.now.getTime() + 60_000 + this.random() * 50 * 60_000;
    this.running.set(name, { endsAt, run, succeeds });
    this.lastRuns.set(name, run);
    return run;
  }
}

/** Random numbers that come again with the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
