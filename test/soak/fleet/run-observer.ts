/** Looks at all runs again and again: how many there are at once, when they began, how and why they ended. */
import { RunKind, RunState, type Run } from '../../../src/gen/busy/v1/run.js';
import { hasEnded } from '../../helpers/test-bed.js';
import { Disagreement } from '../disagreement.js';
import type { FleetApi } from './fleet-api.js';
import type { FleetHost } from './fleet-host.js';
import { maxRunning, type FleetWorld } from './fleet-world.js';
import type { Ledger } from './ledger.js';
import type { Operator } from './operator.js';

/** More than can begin and end between two looks. */
const looked = 300;
const activeStates = [RunState.QUEUED, RunState.RUNNING, RunState.CANCELLING];

interface Tracked {
  run: Run;
  /** At this moment, by performance.now(), nobody had asked for it. */
  readonly unaskedMs: number;
  /** At this moment, by performance.now(), it had not begun. */
  notBeforeMs: number;
  /** It was seen to have ended. */
  endedMs: number | null;
}

/** A run that is let in before its window closes may be a little later in the records. */
const borderMs = 5000;

/** Reasons that need no fault: what the sources and the windows of the fleet bring about, and what one call does to another. */
const ordinary = new Set([
  'FILES_VANISHED',
  'WINDOW_CLOSED',
  'SNAPSHOT_NOT_FOUND',
  'SNAPSHOT_REMOVED',
  'SNAPSHOT_GONE',
]);
const cancelledReasons = new Set(['CANCELLED', 'RESTORE_CANCELLED']);

export class RunObserver {
  /** How runs ended: kind, state and reason in words, and how often. */
  readonly endings = new Map<string, number>();
  /** When each host was last backed up well by schedule: when the run was seen to have ended, by performance.now(). */
  readonly lastGoodMs = new Map<string, number>();
  backupsDone = 0;
  /** Backups that are said to have made a snapshot, until somebody takes them away to look for it. */
  committed: Run[] = [];
  private readonly tracked = new Map<string, Tracked>();
  private readonly slots = new Map<string, Run>();
  private lastLookMs = 0;
  private active: readonly Run[] = [];

  constructor(
    private readonly world: FleetWorld,
    private readonly api: FleetApi,
    private readonly ledger: Ledger,
    private readonly operator: () => Operator,
  ) {}

  /** As of the last look. */
  get activeRuns(): readonly Run[] {
    return this.active;
  }

  /** All that were ever seen. */
  get all(): readonly Run[] {
    return [...this.tracked.values()].map(({ run }) => run);
  }

  /** A moment at which a run had not begun, by performance.now(). */
  notBefore(runId: string): number {
    return this.tracked.get(runId)?.notBeforeMs ?? this.lastLookMs;
  }

  /** One look. Rejects with a ServiceError when nobody answers, and with a Disagreement. */
  async look(): Promise<void> {
    const startedMs = performance.now();
    // Asked for by themselves: where the clock was set back, what runs is not among the newest by its id.
    this.active = await this.api.runs(looked, activeStates);
    for (const run of this.active) this.note(run, startedMs);
    const isActive = new Set(this.active.map(({ id }) => id));
    for (const run of await this.api.runs(looked)) if (hasEnded(run)) this.note(run, startedMs);
    for (const { run, endedMs } of this.tracked.values())
      if (endedMs === null && !isActive.has(run.id)) this.note(await this.api.run(run.id), startedMs);
    this.checkLimits();
    this.lastLookMs = startedMs;
  }

  private note(run: Run, startedMs: number): void {
    const known = this.tracked.get(run.id);
    if (known?.endedMs !== undefined && known.endedMs !== null) {
      if (known.run.state !== run.state)
        throw new Disagreement(
          `run ${run.id} was ${RunState[known.run.state]} and is ${RunState[run.state]}`,
        );
      return;
    }
    const unaskedMs = this.lastLookMs;
    const tracked = known ?? { run, unaskedMs, notBeforeMs: unaskedMs, endedMs: null };
    tracked.run = run;
    if (run.state === RunState.QUEUED) tracked.notBeforeMs = startedMs;
    this.tracked.set(run.id, tracked);
    if (!hasEnded(run)) return;
    tracked.endedMs = performance.now();
    this.judge(tracked, tracked.endedMs);
  }

  private judge({ run, unaskedMs, notBeforeMs }: Tracked, endedMs: number): void {
    const host = this.world.hosts.find(({ name }) => name === run.host);
    if (!host) throw new Disagreement(`run ${run.id} is of ${run.host}, which is not in the configuration`);
    const kind = RunKind[run.kind];
    const words = [kind, RunState[run.state], run.error?.reason ?? ''].join(' ').trim();
    this.endings.set(words, (this.endings.get(words) ?? 0) + 1);
    const by = run.requestId === '' ? 'by schedule' : run.requestId;
    this.ledger.note(`${run.host} ${words} ${run.snapshot} (run ${run.id}, ${by})`);
    this.judgeReason(run, notBeforeMs, endedMs);
    if (run.state === RunState.SUCCEEDED) this.operator().checkRestore(run);
    for (const name of run.archiving?.removed ?? []) host.mayGo.add(name);
    if (run.kind !== RunKind.BACKUP) return;
    const isGood = run.state === RunState.SUCCEEDED;
    if (isGood || run.state === RunState.PARTIAL) {
      this.backupsDone += 1;
      this.committed.push(run);
    }
    if (run.requestId !== '') return;
    if (isGood) this.lastGoodMs.set(run.host, endedMs);
    this.judgeWindow(host, run, notBeforeMs);
    this.judgeSlot(host, run, unaskedMs);
  }

  private judgeReason(run: Run, notBeforeMs: number, endedMs: number): void {
    const { id, host, state, error } = run;
    if (state === RunState.SUCCEEDED) {
      if (error) throw new Disagreement(`run ${id} succeeded, with ${error.reason}`);
      return;
    }
    const what = `run ${id} of ${host} (${RunKind[run.kind]}) is ${RunState[state]}`;
    if (!error || [error.reason, error.message, error.advice].includes(''))
      throw new Disagreement(`${what} without a reason, a sentence and advice: ${JSON.stringify(error)}`);
    const { reason, message } = error;
    if (ordinary.has(reason)) return;
    if (cancelledReasons.has(reason)) {
      if (this.operator().cancelled.has(id)) return;
      this.ledger.violate(`${what} (${reason}), and nobody has cancelled it`);
      return;
    }
    const met = this.ledger.during(host, notBeforeMs, endedMs);
    if (met.some(({ reasons }) => reasons.includes(reason))) return;
    const names = met.map(({ name }) => name).join(', ');
    this.ledger.violate(`${what} (${reason}: ${message}), which fits nothing that it met: ${names}`);
  }

  /** Where the clock was set meanwhile it cannot be said, also below. */
  private judgeWindow(host: FleetHost, { id, startedAt }: Run, notBeforeMs: number): void {
    if (!startedAt || this.clockWasSetSince(notBeforeMs)) return;
    if (!host.isOpenAt(startedAt) && !host.isOpenAt(new Date(startedAt.getTime() - borderMs)))
      throw new Disagreement(
        `run ${id} of ${host.name} began at ${startedAt.toISOString()}, outside its window`,
      );
  }

  /** Its slot is that of the moment at which it was asked for, so the clock must have been right from then on. */
  private judgeSlot(host: FleetHost, run: Run, unaskedMs: number): void {
    const { createdAt, id, state } = run;
    const slot = createdAt && host.slotAt(createdAt);
    if (
      this.clockWasSetSince(unaskedMs) ||
      state !== RunState.SUCCEEDED ||
      slot === undefined ||
      slot === null
    )
      return;
    const key = `${host.name} ${slot} ${this.world.clockSetBackCount}`;
    const other = this.slots.get(key);
    this.slots.set(key, run);
    if (other && !host.mayGo.has(other.snapshot))
      throw new Disagreement(`runs ${other.id} and ${id} of ${host.name} are for the same slot`);
  }

  private clockWasSetSince(ms: number): boolean {
    return this.world.clockSetAtMs >= ms - 2000;
  }

  private checkLimits(): void {
    const running = this.active.filter(
      ({ kind, state }) => kind === RunKind.BACKUP && state !== RunState.QUEUED,
    );
    if (running.length > maxRunning)
      throw new Disagreement(`${running.length} backups run at once, and ${maxRunning} may`);
    const seen = new Map<string, Run>();
    for (const run of this.active) {
      const key = `${run.host} ${RunKind[run.kind]}`;
      const other = seen.get(key);
      if (other) throw new Disagreement(`runs ${other.id} and ${run.id} are both active: ${key}`);
      seen.set(key, run);
    }
  }
}
