/** A scheduler between fakes: time, hosts, their presence and their runs are moved by hand. */
import { Scheduler } from '../../src/control/scheduler.js';
import type { RunRequest } from '../../src/control/run-ends.js';
import { BusyError } from '../../src/core/errors.js';
import type { Host } from '../../src/core/host.js';
import type { RunRecord } from '../../src/core/run.js';
import type { SnapshotRecord } from '../../src/core/snapshot.js';
import { sampleRun, sampleSnapshot } from '../store/samples.js';
import { sampleHost } from './sample-host.js';

export const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Always on schedule, so that only the age of the snapshots counts. */
const always = { slots: [], timeZone: 'UTC', catchUpMs: dayMs, jitterMs: 0 };

export class SchedulerBed {
  now = new Date('2026-11-22T20:00:05Z');
  /** Called before each answer of the clock. */
  onReading: () => void = () => {};
  /** Thrown instead of an answer of the clock. */
  clockFault: Error | null = null;
  readonly requests: RunRequest[] = [];
  /** Hosts that were asked whether they are there, in order. */
  readonly asked: string[] = [];
  readonly errors: [message: string, error: unknown][] = [];
  readonly busy = new Set<string>();
  readonly offline = new Set<string>();
  /** What the lifecycle throws for a host. */
  readonly refusals = new Map<string, Error>();
  readonly scheduler: Scheduler;
  private readonly hosts = new Map<string, Host>();
  private readonly snapshots = new Map<string, SnapshotRecord>();
  private readonly lastRuns = new Map<string, RunRecord>();
  private readonly failures = new Map<string, number>();
  private readonly answers = new Map<string, Promise<boolean>>();

  constructor(names: readonly string[], settings: Readonly<Record<string, Partial<Host>>> = {}) {
    for (const name of names) this.change(name, settings[name] ?? {});
    this.scheduler = new Scheduler({
      clock: { now: () => this.readClock() },
      catalog: {
        hosts: () => [...this.hosts.values()],
        host: (name) => this.host(name),
        snapshots: (name = '') => [this.snapshots.get(this.host(name).name) ?? []].flat(),
      },
      lifecycle: {
        trigger: (request) => this.trigger(request),
        isBusy: (name) => this.busy.has(name),
        lastRun: (name) => this.lastRuns.get(name) ?? null,
        failuresInRow: (name) => this.failures.get(name) ?? 0,
      },
      lookFor: async ({ name }) => {
        this.asked.push(name);
        const isOnline = await (this.answers.get(name) ?? !this.offline.has(name));
        return { isOnline, reason: isOnline ? 'it answers' : 'nobody answers' };
      },
      onError: (message, error) => void this.errors.push([message, error]),
    });
  }

  get triggered(): string[] {
    return this.requests.map(({ host }) => host);
  }

  advance(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
  }

  snapshotAge(name: string, days: number): this {
    const startedAt = new Date(this.now.getTime() - days * dayMs);
    this.snapshots.set(name, sampleSnapshot('2026-11-01_20-00-05i', { host: name, startedAt }));
    return this;
  }

  /** The host has had a backup just now. */
  succeed(name: string): this {
    this.busy.delete(name);
    return this.snapshotAge(name, 0);
  }

  /** The last run of the host has failed just now, as the given number in a row. */
  fail(name: string, failures: number): void {
    this.busy.delete(name);
    this.failures.set(name, failures);
    this.lastRuns.set(name, sampleRun(1, { host: name, state: 'FAILED', endedAt: this.now }));
  }

  change(name: string, settings: Partial<Host>): void {
    this.hosts.set(name, sampleHost({ name, schedule: always, ...settings }));
  }

  remove(name: string): void {
    this.hosts.delete(name);
  }

  refuse(name: string, reason: 'HOST_BUSY' | 'DAEMON_STOPPING' | 'HOST_NOT_FOUND'): void {
    this.refusals.set(name, new BusyError(reason, { host: name, run: 'run-1' }));
  }

  /** The host answers when the function is called that comes back. */
  holdAnswer(name: string): (isThere: boolean) => void {
    const answers: ((isThere: boolean) => void)[] = [];
    this.answers.set(name, new Promise((resolve) => answers.push(resolve)));
    return (isThere) => answers.forEach((answer) => answer(isThere));
  }

  async untilAsked(name: string): Promise<void> {
    while (!this.asked.includes(name)) await new Promise((resolve) => setImmediate(resolve));
  }

  async untilTriggered(name: string): Promise<void> {
    while (!this.triggered.includes(name)) await new Promise((resolve) => setImmediate(resolve));
  }

  private readClock(): Date {
    if (this.clockFault) throw this.clockFault;
    this.onReading();
    return this.now;
  }

  private host(name: string): Host {
    const host = this.hosts.get(name);
    if (!host) throw new BusyError('HOST_NOT_FOUND', { host: name });
    return host;
  }

  private async trigger(request: RunRequest): Promise<RunRecord> {
    const refusal = this.refusals.get(this.host(request.host).name);
    if (refusal) throw refusal;
    this.requests.push(request);
    this.busy.add(request.host);
    return sampleRun(this.requests.length, { host: request.host });
  }
}
