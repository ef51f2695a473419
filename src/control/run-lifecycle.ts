/**
 * The life of a run, from the wish to the end: the one owner of run states. Every change names the state it expects
 * to find, so cancel, crash and late reports cannot revive a run that has ended.
 */
import { monotonicFactory } from 'ulid';
import { DueRules } from '../core/due.js';
import { BusyError, isDatabaseAway, toFailure } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { BackupResult, RunChanges, RunFilter } from '../core/ports.js';
import { isActive, statesBefore, type Progress, type RunRecord, type RunState } from '../core/run.js';
import { newActiveRun, type ActiveRun } from './active-run.js';
import { BusyHosts } from './busy-hosts.js';
import { carryOutBackup, type RunReports } from './carry-out.js';
import { HostHistory } from './host-history.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import {
  closedFor,
  endingOf,
  queuedRun,
  refuseReuse,
  stoppedBy,
  type BackupRequest,
  type EndState,
  type StopCause,
} from './run-ends.js';
import type { RunView } from './run-events.js';
import { RunQueue, type QueueLimits } from './run-queue.js';

export class RunLifecycle {
  private readonly active = new Map<string, ActiveRun>();
  private readonly busyHosts = new BusyHosts();
  private readonly history = new HostHistory();
  private readonly rules = new DueRules();
  private readonly queue: RunQueue;
  /** Ids of one millisecond sort in the order in which they were made. */
  private readonly nextId = monotonicFactory();
  private isStopping = false;
  /** What begins now would never be cancelled by anyone. */
  private hasGivenUp = false;

  constructor(private readonly parts: LifecycleParts) {
    this.queue = new RunQueue(parts.limits, (id) => this.carryOut(id));
  }

  /** Takes up the runs that wait since before the start, after `recover` has settled all others. */
  async start(): Promise<void> {
    await this.history.load(this.parts.runs);
    const waiting = await this.parts.runs.list({ states: ['QUEUED'] });
    for (const run of waiting.toReversed()) void this.enqueue(run, Infinity);
  }

  /**
   * Queues a backup and answers its run. Throws HOST_NOT_FOUND, HOST_BUSY when the host has a run that has not ended
   * (but answers that run when the request id is the same), or DAEMON_STOPPING.
   */
  trigger(request: BackupRequest): Promise<RunRecord> {
    // One at a time: two calls at once must not both find the host free or the request id new.
    return this.busyHosts.exclusively(() => this.triggerAlone(request));
  }

  /** Does a piece of work while the host has no run and gets none. Throws HOST_BUSY. */
  whileFree(host: string, work: () => Promise<void>): Promise<void> {
    return this.busyHosts.exclusively(() => {
      this.busyHosts.refuseBusy(host);
      return work();
    });
  }

  /** Asks a run to stop and answers it. Throws RUN_NOT_FOUND or RUN_ENDED. */
  async cancel(id: string, cause: StopCause = 'on request'): Promise<RunRecord> {
    const active = this.active.get(id);
    const isCancelled = await active?.turn.runExclusive(() => this.cancelAlone(active, cause));
    if (active && isCancelled) return active.record;
    const ended = await this.get(id);
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

  /** Whether the host has a run that has not ended. */
  isBusy(host: string): boolean {
    return this.busyHosts.has(host);
  }

  setLimits(limits: QueueLimits): void {
    this.queue.setLimits(limits);
  }

  /** Begins no run until `goOn`; runs that have begun are not touched. */
  hold(): void {
    this.queue.hold();
  }

  goOn(): void {
    this.queue.goOn();
  }

  counts(): { queued: number; running: number } {
    return this.queue.counts();
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
    this.queue.stop();
    const cancelAll = (): void => {
      this.hasGivenUp = true;
      const running = [...this.active.values()].filter(({ record }) => record.state === 'RUNNING');
      for (const { record } of running) {
        this.cancel(record.id, 'daemon stops').catch((error: unknown) => {
          this.parts.onError('could not cancel a run', error);
        });
      }
    };
    if (giveUp.aborted) cancelAll();
    else giveUp.addEventListener('abort', cancelAll, { once: true });
    await this.queue.idle();
    giveUp.removeEventListener('abort', cancelAll);
  }

  private async triggerAlone(request: BackupRequest): Promise<RunRecord> {
    const { clock, runs, catalog, events } = this.parts;
    if (this.isStopping) throw new BusyError('DAEMON_STOPPING');
    const known = request.requestId === null ? null : await runs.getByRequestId(request.requestId);
    if (known) {
      refuseReuse(known, request);
      return this.active.get(known.id)?.record ?? known;
    }
    const host = catalog.host(request.host);
    this.busyHosts.refuseBusy(host.name);
    const now = clock.now();
    const run = queuedRun({ id: this.nextId(now.getTime()), request, now, revision: events.nextRevision() });
    await runs.add(run);
    const why = request.why === undefined ? '' : `: ${request.why}`;
    await this.say(run.id, `backup of ${host.name} was asked for (${request.type})${why}`);
    void this.enqueue(run, request.urgency ?? Infinity);
    return this.active.get(run.id)?.record ?? run;
  }

  /** Not to be waited for: a disk that hangs must hold up no other host. */
  private async enqueue(run: RunRecord, urgency: number): Promise<void> {
    this.busyHosts.occupy(run.host, run.id);
    const active = newActiveRun(run);
    this.active.set(run.id, active);
    this.publish(active, run);
    const host = this.parts.catalog.hosts().find(({ name }) => name === run.host);
    const disk = host ? await this.parts.diskOf(host) : '';
    if (this.active.has(run.id)) this.queue.add({ id: run.id, disk, urgency });
  }

  /** Answers false when the run could not begin because the database is away: it goes on waiting. */
  private async carryOut(id: string): Promise<boolean> {
    const active = this.active.get(id);
    if (!active) return true;
    try {
      const host = this.parts.catalog.host(active.record.host);
      if (!(await active.turn.runExclusive(() => this.begin(active, host)))) return true;
      if (this.hasGivenUp) await this.cancel(id, 'daemon stops');
      const note: RunReports['note'] = (change) => this.note(active, change);
      const reports = { note, say: (text: string) => this.say(id, text) };
      await this.settle(active, await carryOutBackup(this.parts, { active, host }, reports));
    } catch (error) {
      if (isDatabaseAway(error) && active.record.state === 'QUEUED') return false;
      this.parts.onError('a run could not be carried out', error);
      const end = active.turn.runExclusive(() => this.end(active, 'FAILED', { error: toFailure(error) }));
      await end.catch((again: unknown) => {
        this.parts.onError('the end of a run could not be recorded', again);
      });
    }
    return true;
  }

  /** Answers false when the run has ended before. */
  private async cancelAlone(active: ActiveRun, cause: StopCause): Promise<boolean> {
    const { id, state } = active.record;
    if (!this.active.has(id)) return false;
    active.stopCause ??= cause;
    if (state === 'QUEUED') {
      this.queue.remove(id);
      return this.end(active, 'CANCELLED', { error: stoppedBy(cause).toFailure() });
    }
    if (await this.move(active, 'CANCELLING', {})) {
      await this.say(id, `cancel was asked for (${cause})`);
      active.abort.abort();
    }
    return true;
  }

  private async begin(active: ActiveRun, host: Host): Promise<boolean> {
    const { catalog, clock } = this.parts;
    if (this.hasGivenUp || active.record.state !== 'QUEUED') return false;
    const now = clock.now();
    const closed = closedFor(active.record, host, now);
    if (closed) {
      await this.end(active, 'CANCELLED', { error: closed.toFailure() });
      return false;
    }
    const facts = { host, snapshots: catalog.snapshots(host.name), now };
    const { type, reason } = this.rules.typeNow(facts, active.record.requestedType);
    const isStarted = await this.move(active, 'RUNNING', { type, typeReason: reason, startedAt: now });
    if (isStarted) await this.say(active.record.id, `started: ${type}, since ${reason}`);
    return isStarted;
  }

  private async settle(active: ActiveRun, result: BackupResult): Promise<void> {
    if (result.snapshot) await this.parts.catalog.record(result.snapshot);
    const { state, changes } = endingOf(active.record, result, active.stopCause);
    await active.turn.runExclusive(() => this.end(active, state, changes));
  }

  /** Ends a run: its last line, its state, and then the host is free again. */
  private async end(active: ActiveRun, state: EndState, changes: RunChanges): Promise<boolean> {
    const { id, host } = active.record;
    if (!statesBefore[state].includes(active.record.state)) return false;
    const why = changes.error ? ` (${changes.error.reason}: ${changes.error.message})` : '';
    await this.say(id, `ended: ${state}${why}`);
    active.progress = null;
    try {
      return await this.move(active, state, { ...changes, endedAt: this.parts.clock.now() });
    } finally {
      // Also when the database failed: the host must be free for the next backup.
      this.busyHosts.free(host, id);
      this.active.delete(id);
      this.parts.growth.grew(id);
    }
  }

  private async move(
    active: ActiveRun,
    to: Exclude<RunState, 'QUEUED'>,
    changes: RunChanges,
  ): Promise<boolean> {
    const revision = this.parts.events.nextRevision();
    const isMoved = await this.parts.runs.move(active.record.id, statesBefore[to], to, revision, changes);
    if (isMoved) this.publish(active, { ...active.record, ...changes, state: to, revision });
    return isMoved;
  }

  /** What changes while a run runs is kept in memory until it ends. */
  private note(active: ActiveRun, change: { progress: Progress } | { jobs: RunRecord['jobs'] }): void {
    if (!this.active.has(active.record.id)) return;
    if ('progress' in change) active.progress = change.progress;
    const jobs = 'jobs' in change ? change.jobs : active.record.jobs;
    if (active.turn.isLocked()) {
      // A change of the state is under way with a lower revision; it will show this too.
      active.record = { ...active.record, jobs };
    } else {
      this.publish(active, { ...active.record, jobs, revision: this.parts.events.nextRevision() });
    }
  }

  private publish(active: ActiveRun, record: RunRecord): void {
    active.record = record;
    this.history.note(record);
    this.parts.events.publish({ run: record, progress: active.progress });
  }

  private async say(runId: string, text: string): Promise<void> {
    await this.parts.logs.append(runId, text).catch((error: unknown) => {
      this.parts.onError('a line of a run log could not be written', error);
    });
    this.parts.growth.grew(runId);
  }
}
