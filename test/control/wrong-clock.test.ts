/** A clock that is wrong for a while, forward or back, and changes at any moment: no host waits long once it is right. */
import { expect, it } from 'vitest';
import { Scheduler } from '../../src/control/scheduler.js';
import type { Host } from '../../src/core/host.js';
import type { RunRecord, RunState } from '../../src/core/run.js';
import { snapshotName, type SnapshotRecord } from '../../src/core/snapshot.js';
import { BusyError } from '../../src/core/errors.js';
import { sampleHost } from '../helpers/sample-host.js';
import { minuteMs, SchedulerBed } from '../helpers/scheduler-bed.js';
import { Random } from '../soak/random.js';
import { sampleRun, sampleSnapshot } from '../store/samples.js';

const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const lookEveryMs = 20_000;
/** A snapshot that lies less than a day ahead stands for its time. */
const shiftsMs = [-90 * minuteMs, -7 * minuteMs, -40_000, 30_000, 26 * hourMs, 70 * hourMs];
const rightTime = new Date('2026-11-22T20:00:05Z');

const everyTwoMinutes = { slots: ['*/2 * * * *'], timeZone: 'UTC', catchUpMs: dayMs, jitterMs: 0 };
const everyMinute = { ...everyTwoMinutes, slots: ['* * * * *'] };
const withoutSlots = { ...everyTwoMinutes, slots: [] };

it.each([1, 2, 3, 4])('one that is set back by a day at look %i at it during a decision', async (reading) => {
  const bed = new SchedulerBed(['web1'], { web1: { schedule: everyTwoMinutes, maxAgeIncr: 0 } });
  const right = bed.now;
  bed.advance(26 * hourMs);
  bed.succeed('web1');
  let left = reading;
  bed.onReading = () => {
    if ((left -= 1) === 0) bed.now = right;
  };
  await bed.scheduler.look();
  bed.onReading = () => {};
  bed.now = right;
  await bed.scheduler.look();
  expect(bed.triggered).toEqual(['web1']);
});

it.each(Array.from({ length: 40 }, (_, seed) => seed))('one that is often wrong: seed %i', async (seed) => {
  const life = new LifeOfHosts(new Random(seed));
  for (let round = 0; round < 3; round++) {
    await life.storm();
    const late = await life.calm();
    expect(late).toEqual([]);
  }
  expect(life.errors).toEqual([]);
});

/** Hosts whose runs end as chance has it, seen by a scheduler whose clock is wrong now and then. */
class LifeOfHosts {
  readonly errors: unknown[] = [];
  private elapsedMs = 0;
  private shiftMs = 0;
  /** The clock is set at so many readings of it from now. */
  private next = { inReadings: Infinity, shiftMs: 0 };
  private runs = 0;
  private readonly hosts: readonly Host[] = [
    sampleHost({ name: 'slots1', schedule: everyMinute, maxAgeIncr: 0, retryAfterMs: 2000 }),
    sampleHost({ name: 'slots2', schedule: everyTwoMinutes, maxAgeIncr: 0, retryAfterMs: 2000 }),
    sampleHost({ name: 'age', schedule: withoutSlots, maxAgeIncr: 60_000 / dayMs, retryAfterMs: 2000 }),
  ];
  private readonly snapshots = new Map<string, readonly SnapshotRecord[]>();
  private readonly lastRuns = new Map<string, RunRecord>();
  private readonly failures = new Map<string, number>();
  private readonly busy = new Map<string, RunRecord>();
  private readonly scheduler = new Scheduler({
    clock: { now: () => this.now() },
    catalog: {
      hosts: () => this.hosts,
      host: (name) => this.hosts.find((host) => host.name === name) ?? sampleHost(),
      snapshots: (name = '') => this.snapshots.get(name) ?? none,
    },
    lifecycle: {
      trigger: (request) => {
        const run = sampleRun((this.runs += 1), { host: request.host, createdAt: this.now() });
        this.note(run);
        return Promise.resolve(run);
      },
      isBusy: (name) => this.busy.has(name),
      lastRun: (name) => this.lastRuns.get(name) ?? null,
      failuresInRow: (name) => this.failures.get(name) ?? 0,
    },
    lookFor: () => Promise.resolve({ isOnline: true, reason: '' }),
    onError: (_, error) => void this.errors.push(error),
  });

  constructor(private readonly random: Random) {}

  /** Faults for a while: the clock is set at moments that fall into decisions. */
  async storm(): Promise<void> {
    const { random } = this;
    for (let left = 7; left > 0; left--) {
      const shiftMs = random.chance(0.5) ? random.pick(shiftsMs) : 0;
      this.next = { inReadings: 1 + random.below(12), shiftMs };
      await this.scheduler.look();
      for (const name of this.busy.keys())
        if (random.chance(0.7))
          this.end(name, random.pick(['SUCCEEDED', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const));
      this.elapsedMs += lookEveryMs;
    }
  }

  /** Answers those hosts that were not asked for within five minutes of a right clock. */
  async calm(): Promise<string[]> {
    this.next = { inReadings: 1 + this.random.below(6), shiftMs: 0 };
    await this.scheduler.look();
    this.next = { inReadings: Infinity, shiftMs: 0 };
    this.shiftMs = 0;
    for (const name of this.busy.keys()) this.end(name, 'SUCCEEDED');
    const asked = new Set<string>();
    for (let left = 15; left > 0; left--) {
      this.elapsedMs += lookEveryMs;
      await this.scheduler.look();
      for (const name of this.busy.keys()) {
        asked.add(name);
        this.end(name, 'SUCCEEDED');
      }
    }
    return this.hosts.map(({ name }) => name).filter((name) => !asked.has(name));
  }

  private now(): Date {
    this.next.inReadings -= 1;
    if (this.next.inReadings <= 0) {
      ({ shiftMs: this.shiftMs } = this.next);
      this.next = { inReadings: Infinity, shiftMs: 0 };
    }
    return new Date(rightTime.getTime() + this.elapsedMs + this.shiftMs);
  }

  private end(name: string, state: Extract<RunState, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>): void {
    const run = this.busy.get(name);
    if (!run) return;
    const error = state === 'CANCELLED' ? new BusyError('CANCELLED').toFailure() : null;
    this.note({ ...run, state, error, endedAt: this.now() });
    if (state === 'FAILED') this.failures.set(name, (this.failures.get(name) ?? 0) + 1);
    if (state !== 'SUCCEEDED') return;
    this.failures.delete(name);
    const startedAt = this.now();
    const made = sampleSnapshot(snapshotName(startedAt, 'full'), { host: name, startedAt });
    // As on the disk, the newest made has the highest name, and a few are kept.
    this.snapshots.set(name, [made, ...(this.snapshots.get(name) ?? none)].slice(0, 4));
  }

  private note(run: RunRecord): void {
    this.lastRuns.set(run.host, run);
    if (run.state === 'QUEUED') this.busy.set(run.host, run);
    else this.busy.delete(run.host);
  }
}

const none: readonly SnapshotRecord[] = [];
