/**
 * Ten thousand hosts on all kinds of schedules, with a past, and a clock that is moved by hand. What is due and online
 * is backed up at once and has a new snapshot then, so that simulated time goes on as real time does.
 */
import { Catalog } from '../src/control/catalog.js';
import { Scheduler } from '../src/control/scheduler.js';
import type { DueRules, DueFacts } from '../src/core/due.js';
import type { Host } from '../src/core/host.js';
import type { SnapshotStore } from '../src/core/ports.js';
import type { RunRecord } from '../src/core/run.js';
import { snapshotName, type SnapshotRecord } from '../src/core/snapshot.js';
import { seeded } from '../test/helpers/fleet.js';
import { sampleHost } from '../test/helpers/sample-host.js';
import { runOf, snapshotOf } from './stock.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const zones = ['Europe/Berlin', 'UTC', 'America/New_York', 'Asia/Kolkata'];

/** One after the other: each host has its own times, as an administrator who spreads them by hand gives them. */
const schedules: readonly ((index: number) => string[])[] = [
  (index) => [timeOfDay(index * 7)],
  (index) => [timeOfDay(index * 11), timeOfDay(index * 11 + 720)],
  () => ['22:00'],
  () => ['0 */4 * * *'],
  (index) => [`${index % 60} 3 * * 1-5`],
  () => [],
];

export class SchedulingFleet {
  now = new Date('2026-11-20T20:00:00Z');
  readonly catalog: Catalog;
  readonly scheduler: Scheduler;
  /** Backups that were started. */
  startCount = 0;
  private readonly lastRuns = new Map<string, RunRecord>();
  private readonly hosts: readonly Host[];

  private constructor(hostCount: number) {
    this.hosts = Array.from({ length: hostCount }, (_, index) => hostOf(index));
    this.catalog = new Catalog(this.hosts, this.pastStore());
    this.scheduler = new Scheduler({
      clock: { now: () => this.now },
      catalog: this.catalog,
      lifecycle: {
        trigger: ({ host }) => this.backUp(host),
        isBusy: () => false,
        lastRun: (host) => this.lastRuns.get(host) ?? null,
        failuresInRow: () => 0,
      },
      // Every tenth is away, so it stays due and is asked in each pass.
      lookFor: ({ name }) => Promise.resolve({ isOnline: !name.endsWith('7'), reason: '' }),
      onError: (message, error) => {
        throw new Error(message, { cause: error });
      },
    });
  }

  static async create(hostCount: number): Promise<SchedulingFleet> {
    const fleet = new SchedulingFleet(hostCount);
    await fleet.catalog.load();
    return fleet;
  }

  advance(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
  }

  /** One decision for each host, as the scheduler asks for it; answers how many are due. */
  decideAll(rules: DueRules): number {
    let dueCount = 0;
    for (const host of this.catalog.hosts()) if (rules.decide(this.factsOf(host)).isDue) dueCount += 1;
    return dueCount;
  }

  private factsOf(host: Host): DueFacts {
    return {
      host,
      snapshots: this.catalog.snapshots(host.name),
      lastRun: this.lastRuns.get(host.name) ?? null,
      failuresInRow: 0,
      now: this.now,
    };
  }

  private async backUp(host: string): Promise<RunRecord> {
    this.startCount += 1;
    const snapshot = snapshotAt(host, this.now);
    await this.catalog.record(snapshot);
    const run = { ...runOf(snapshot, this.startCount), createdAt: this.now, endedAt: this.now };
    this.lastRuns.set(host, run);
    return run;
  }

  /** Ten snapshots of each host, a day apart; the youngest at some moment of the last day. */
  private pastStore(): SnapshotStore {
    const random = seeded(1);
    const snapshots = this.hosts.flatMap(({ name }) => {
      const youngest = this.now.getTime() - random() * dayMs;
      return Array.from({ length: 10 }, (_, age) => snapshotAt(name, new Date(youngest - age * dayMs)));
    });
    return {
      settled: () => Promise.resolve(),
      list: () => Promise.resolve(snapshots),
      put: () => Promise.resolve(),
      remove: () => Promise.resolve(),
    };
  }
}

function hostOf(index: number): Host {
  const slots = schedules[index % schedules.length]?.(index) ?? [];
  return sampleHost({
    name: `host-${String(index).padStart(5, '0')}`,
    schedule: {
      slots,
      timeZone: zones[index % zones.length] ?? 'UTC',
      catchUpMs: dayMs,
      jitterMs: index % 4 === 0 ? hourMs : 0,
    },
    windows: index % 5 === 0 ? ['20:00-06:00', 'sat,sun 00:00-24:00'] : [],
    maxAgeIncr: slots.length === 1 ? 1 : 0.25,
  });
}

function timeOfDay(minute: number): string {
  const within = minute % 1440;
  return `${String(Math.floor(within / 60)).padStart(2, '0')}:${String(within % 60).padStart(2, '0')}`;
}

function snapshotAt(host: string, startedAt: Date): SnapshotRecord {
  const name = snapshotName(startedAt, 'incremental');
  return { ...snapshotOf(host, ''), name, type: 'incremental', startedAt, committedAt: startedAt };
}
