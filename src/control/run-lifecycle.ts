/**
 * The life of a run, from the wish to the end: the one owner of run states. Every change names the state it expects
 * to find, so cancel, crash and late reports cannot revive a run that has ended.
 */
import { monotonicFactory } from 'ulid';
import { BusyError, isDatabaseAway, toFailure } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { RunChanges, RunFilter } from '../core/ports.js';
import {
  isActive,
  statesBefore,
  type NextState,
  type Progress,
  type RunKind,
  type RunRecord,
} from '../core/run.js';
import { newActiveRun, stopFor, takeChange, type ActiveRun, type ChangeOfRun } from './active-run.js';
import { BusyHosts } from './busy-hosts.js';
import { HostHistory } from './host-history.js';
import type { RunEnding } from './kind-of-run.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import { sayInLog } from './log-stream.js';
import { queuedRun, refuseReuse, stoppedBy, type RunRequest, type StopCause } from './run-ends.js';
import type { RunView } from './run-events.js';
import { claimsOf, runKinds, type RunKinds } from './run-kinds.js';
import { RunLanes } from './run-lanes.js';
import type { QueueLimits } from './run-queue.js';
import { endRunning, givingUp } from './run-stops.js';

export class RunLifecycle {
  private readonly active = new Map<string, ActiveRun>();
  private readonly busyHosts = new BusyHosts();
  readonly history = new HostHistory();
  private readonly lanes: RunLanes;
  private readonly kinds: RunKinds;
  /** Ids of one millisecond sort in the order in which they were made. */
  private readonly nextId = monotonicFactory();
  private isStopping = false;
  /** What begins now nobody would cancel. */
  private hasGivenUp = false;

  constructor(private readonly parts: LifecycleParts) {
    this.lanes = new RunLanes(parts.limits, (id) => this.carryOut(id));
    this.kinds = runKinds(parts);
  }

  /** Takes up the runs that wait since before the start, after `recover` has settled all others. */
  async start(): Promise<void> {
    await this.history.load(this.parts.runs);
    const waiting = await this.parts.runs.list({ states: ['QUEUED'], isOurs: true });
    for (const run of waiting.toReversed()) void this.enqueue(run);
  }

  /** Others may have the hosts of this daemon: stops what runs, and when they do (`isLost`) forgets what waits. */
  surrender(isLost: boolean): void {
    for (const active of this.active.values()) {
      if (active.record.state !== 'QUEUED') stopFor(active, 'lease lost');
      else if (isLost) this.forget(active);
    }
  }

  /**
   * Queues a run and answers it. Throws HOST_NOT_FOUND, HOST_BUSY when the host has such a run that has not ended (but
   * answers that run when the request id is the same), DAEMON_STOPPING, or what stands against a run of its kind.
   */
  trigger(request: RunRequest): Promise<RunRecord> {
    // One at a time: two calls at once must not both find the host free or the request id new.
    return this.busyHosts.exclusively(() => this.triggerAlone(request));
  }

  /** Does a piece of work while the host has no run and gets none. Throws HOST_BUSY. */
  whileFree(host: string, work: () => Promise<void>): Promise<void> {
    return this.busyHosts.whileFree(host, work);
  }

  /** Asks a run to stop and answers it. Throws RUN_NOT_FOUND or RUN_ENDED. */
  async cancel(id: string, cause: StopCause = 'on request'): Promise<RunRecord> {
    const active = this.active.get(id);
    const isCancelled = await active?.turn.runExclusive(() => this.cancelAlone(active, cause));
    if (active && isCancelled) return active.record;
    const ended = await this.get(id);
    if (isActive(ended.state)) this.parts.hold.refuseElsewhere(ended.host);
    throw new BusyError('RUN_ENDED', { run: id, state: ended.state });
  }

  /** Throws RUN_NOT_FOUND. */
  async get(id: string): Promise<RunRecord> {
    const run = this.active.get(id)?.record ?? (await this.parts.runs.get(id));
    if (!run) throw new BusyError('RUN_NOT_FOUND', { run: id });
    return run;
  }

  /** Newest first. */
  async list(filter: RunFilter): Promise<RunRecord[]> {
    const runs = await this.parts.runs.list(filter);
    return runs.map((run) => (isActive(run.state) ? (this.active.get(run.id)?.record ?? run) : run));
  }

  progress(id: string): Progress | null {
    return this.active.get(id)?.progress ?? null;
  }

  lastRun(host: string): RunRecord | null {
    return this.history.lastRun(host);
  }

  failuresInRow(host: string): number {
    return this.history.failuresInRow(host);
  }

  /** Those after which nothing of the host is removed. */
  failuresAgainstExpiry(host: string): number {
    return this.history.failuresAgainstExpiry(host);
  }

  /** Whether the host has a run of this kind that has not ended. */
  isBusy(host: string, kind: RunKind = 'backup'): boolean {
    return this.busyHosts.has(host, this.kinds[kind].lane);
  }

  setLimits(limits: QueueLimits): void {
    this.lanes.setLimits(limits);
  }

  /** Begins no run until `goOn`; runs that have begun are not touched. */
  hold(): void {
    this.lanes.hold();
  }

  goOn(): void {
    this.lanes.goOn();
  }

  counts(kind: RunKind = 'backup'): { queued: number; running: number } {
    return this.lanes.counts(this.kinds[kind].lane);
  }

  /** The runs that have not ended. */
  activeRuns(): RunView[] {
    return [...this.active.values()].map(({ record, progress }) => ({ run: record, progress }));
  }

  /**
   * Starts nothing any more, gives what runs until `giveUp` is aborted, then cancels it. Runs that wait stay QUEUED
   * and are taken up at the next start.
   */
  async stop(giveUp: AbortSignal): Promise<void> {
    this.isStopping = true;
    this.lanes.stop();
    void this.endAll('daemon stops', (run) => !this.kinds[run.kind].isGivenTime);
    await givingUp(giveUp, this.lanes.idle(), () => {
      this.hasGivenUp = true;
      void this.endAll('daemon stops', () => true);
    });
  }

  /** Cancels runs that have begun; settles when they have ended. */
  endAll(cause: StopCause, isMeant: (run: RunRecord) => boolean): Promise<void> {
    const runs = [...this.active.values()].filter(({ record }) => isMeant(record));
    const { onError } = this.parts;
    const sparesRestores = cause === 'post-backup';
    return endRunning(runs, { cancel: (id) => this.cancel(id, cause), sparesRestores, onError });
  }

  private async triggerAlone(request: RunRequest): Promise<RunRecord> {
    const { clock, runs, catalog, events } = this.parts;
    if (this.isStopping) throw new BusyError('DAEMON_STOPPING');
    const known = request.requestId === null ? null : await runs.getByRequestId(request.requestId);
    if (known) {
      refuseReuse(known, request);
      return this.active.get(known.id)?.record ?? known;
    }
    const now = clock.now();
    const run = queuedRun({ id: this.nextId(now.getTime()), request, now, revision: events.nextRevision() });
    const claims = claimsOf(this.kinds, run);
    catalog.host(run.host);
    this.busyHosts.refuseBusy(claims);
    for (const { host } of claims) await this.parts.hold.require(catalog.host(host).name);
    await this.kinds[run.kind].check(run);
    await runs.add(run);
    const why = request.why === undefined ? '' : `: ${request.why}`;
    await sayInLog(this.parts, run.id, `${this.kinds[run.kind].describe(run)}${why}`);
    void this.enqueue(run, request.urgency);
    return this.active.get(run.id)?.record ?? run;
  }

  /** Takes up a run that waits. Not to be waited for: a disk that hangs must hold up no other host. */
  async enqueue(run: RunRecord, urgency = Infinity): Promise<void> {
    const { lane } = this.kinds[run.kind];
    this.busyHosts.occupy(claimsOf(this.kinds, run), run);
    const active = newActiveRun(run);
    this.active.set(run.id, active);
    this.publish(active, run);
    const host = this.parts.catalog.hosts().find(({ name }) => name === run.host);
    const disk = host ? await this.parts.diskOf(host) : '';
    if (this.active.has(run.id)) this.lanes.add(lane, { id: run.id, disk, urgency });
  }

  /** Answers false when the run could not begin because the database is away: it goes on waiting. */
  private async carryOut(id: string): Promise<boolean> {
    const active = this.active.get(id);
    if (!active) return true;
    try {
      const host = this.parts.catalog.host(active.record.host);
      if (!this.parts.hold.isOurs(host.name)) return false;
      if (!(await active.turn.runExclusive(() => this.begin(active, host)))) return true;
      if (this.hasGivenUp) await this.cancel(id, 'daemon stops');
      const ending = await this.kinds[active.record.kind].carryOut(active, host, {
        note: (change) => this.note(active, change),
        say: (text) => sayInLog(this.parts, id, text),
      });
      await active.turn.runExclusive(() => this.end(active, ending));
    } catch (error) {
      if (isDatabaseAway(error) && active.record.state === 'QUEUED') return false;
      this.parts.onError('a run could not be carried out', error);
      const unrecorded = (again: unknown): void =>
        this.parts.onError('the end of a run could not be recorded', again);
      const ending: RunEnding = { state: 'FAILED', changes: { error: toFailure(error) } };
      await active.turn.runExclusive(() => this.end(active, ending)).catch(unrecorded);
    }
    return true;
  }

  /** Answers false when the run has ended before. */
  private async cancelAlone(active: ActiveRun, cause: StopCause): Promise<boolean> {
    const { id, state } = active.record;
    if (!this.active.has(id)) return false;
    active.stopCause ??= cause;
    if (state === 'QUEUED') {
      const error = stoppedBy(cause, active.record.host).toFailure();
      return this.end(active, { state: 'CANCELLED', changes: { error } });
    }
    if (await this.move(active, 'CANCELLING', {})) {
      await sayInLog(this.parts, id, `cancel was asked for (${cause})`);
      active.abort.abort();
    }
    return true;
  }

  private async begin(active: ActiveRun, host: Host): Promise<boolean> {
    if (this.hasGivenUp || active.record.state !== 'QUEUED') return false;
    const beginning = this.kinds[active.record.kind].begin(active.record, host);
    if ('refusal' in beginning) {
      const error = beginning.refusal.toFailure();
      await this.end(active, { state: 'CANCELLED', changes: { error } });
      return false;
    }
    const startedAt = this.parts.clock.now();
    const isStarted = await this.move(active, 'RUNNING', { ...beginning.changes, startedAt });
    if (isStarted) await sayInLog(this.parts, active.record.id, beginning.line);
    return isStarted;
  }

  /** Ends a run: its last line, its state, and then the host is free again. */
  private async end(active: ActiveRun, { state, changes }: RunEnding): Promise<boolean> {
    const { id } = active.record;
    if (!statesBefore[state].includes(active.record.state)) return false;
    const why = changes.error ? ` (${changes.error.reason}: ${changes.error.message})` : '';
    await sayInLog(this.parts, id, `ended: ${state}${why}`);
    active.progress = null;
    try {
      return await this.move(active, state, { ...changes, endedAt: this.parts.clock.now() });
    } finally {
      // Also when the database failed: the host must be free for the next backup.
      this.forget(active);
    }
  }

  private forget(active: ActiveRun): void {
    const { id } = active.record;
    this.lanes.remove(id);
    this.busyHosts.free(claimsOf(this.kinds, active.record), id);
    this.active.delete(id);
    active.markEnded();
    this.parts.growth.grew(id);
  }

  private async move(active: ActiveRun, to: NextState, changes: RunChanges): Promise<boolean> {
    const revision = this.parts.events.nextRevision();
    const isMoved = await this.parts.runs.move(active.record.id, statesBefore[to], to, revision, changes);
    if (isMoved) this.publish(active, { ...active.record, ...changes, state: to, revision });
    return isMoved;
  }

  /** What changes while a run runs is kept in memory until it ends. */
  private note(active: ActiveRun, change: ChangeOfRun): void {
    if (!this.active.has(active.record.id)) return;
    const record = takeChange(active, change);
    // A change of the state that is under way has a lower revision; it will show this too.
    if (active.turn.isLocked()) active.record = record;
    else this.publish(active, { ...record, revision: this.parts.events.nextRevision() });
  }

  private publish(active: ActiveRun, record: RunRecord): void {
    active.record = record;
    this.history.note(record);
    this.parts.events.publish({ run: record, progress: active.progress });
  }
}
