/**
 * Whether a host needs a backup now, with the reasons. The rules are those of the original BUSY: on schedule, and no
 * snapshot or the youngest at least `max_age_incr` days old. Whether the host is online is asked afterwards: an
 * absent host stays due and is backed up when it appears, within `catch_up`.
 */
import { decideType, type TypeDecision } from './backup-type.js';
import type { DueReason } from './due-reason.js';
import { sentenceOf } from './due-sentences.js';
import type { Host } from './host.js';
import type { RequestedType, RunRecord } from './run.js';
import { jitterOf, SlotFinder } from './schedule.js';
import { believable, type SnapshotRecord } from './snapshot.js';
import { isWindowOpen, nextWindowOpening } from './windows.js';

export interface DueFacts {
  readonly host: Host;
  /**
   * Committed ones, newest first. A held one counts for the age: it says that the source was looked at, and without
   * it the host would be backed up without a pause.
   */
  readonly snapshots: readonly SnapshotRecord[];
  /** The last run; null when there was none. */
  readonly lastRun: RunRecord | null;
  /** How many of the last runs failed, one after the other. */
  readonly failuresInRow: number;
  readonly now: Date;
}

export interface DueDecision {
  /** A backup should start as soon as the host answers. */
  readonly isDue: boolean;
  readonly isOnSchedule: boolean;
  readonly isWindowOpen: boolean;
  /** Which type a backup would have now; decided when it is read. */
  readonly type: TypeDecision;
  /** Plain sentences, in the order in which the rules were asked; made when they are read. */
  readonly reasons: readonly string[];
  /** When the rules will next say yes, if nothing else happens; null: they do now, or it cannot be said. */
  readonly nextAt: Date | null;
  /** Until then the answer stays no, if nothing else happens: never later than `nextAt`, which heeds windows too. */
  readonly noUntil: Date | null;
  /** How urgent it is: the age of the youngest snapshot in units of `max_age_incr`; infinite without a snapshot. */
  readonly overdue: number;
}

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
const longestRetryMs = 4 * hourMs;
/** By so much a clock may be set now and then. */
const clockStepMs = 60_000;

/** What one rule says: yes, or no until a moment (null: unknown). */
interface Answer {
  readonly isYes: boolean;
  /** Null when there is nothing to say. */
  readonly reason: DueReason | null;
  readonly nextAt: Date | null;
}

interface Slot extends Answer {
  /** With the jitter of the host; null when none has come yet. */
  readonly time: Date | null;
  readonly next: Date | null;
}

const yes: Answer = { isYes: true, reason: null, nextAt: null };
const alwaysOnSchedule: Answer = { isYes: true, reason: { kind: 'no schedule' }, nextAt: null };
const neverOnSchedule: Slot = {
  isYes: false,
  reason: { kind: 'by hand' },
  nextAt: null,
  time: null,
  next: null,
};
const withoutSnapshot: Answer = { isYes: true, reason: { kind: 'no snapshot' }, nextAt: null };
const windowIsOpen: Answer = { isYes: true, reason: { kind: 'window open' }, nextAt: null };

/** Decides for one host after the other; keeps only what makes the next look faster. */
export class DueRules {
  private readonly slots = new SlotFinder();
  private readonly slotsOfSnapshots = new SlotFinder();

  decide(asked: DueFacts): DueDecision {
    const snapshots = believable(asked.snapshots, asked.now);
    const facts = snapshots === asked.snapshots ? asked : { ...asked, snapshots };
    const jitterMs = jitterOf(facts.host.name, facts.host.schedule.jitterMs);
    const slot = this.currentSlot(facts, jitterMs);
    const age = slot === null ? ageNow(facts, jitterMs) : this.ageAtSlot(facts, slot, jitterMs);
    const onSchedule = slot ?? alwaysOnSchedule;
    const retry = mayTryAgain(facts, slot?.time ?? null);
    const window = windowAnswer(facts, onSchedule.isYes && age.isYes && retry.isYes);
    return new Decision(
      facts,
      [onSchedule, age, retry, window],
      asked.snapshots.length - snapshots.length,
      () => decideType(facts.host, snapshots, 'auto', this.ages(facts, slot)),
    );
  }

  /** Which type a backup that begins now has. */
  typeNow(
    { host, snapshots, now }: Pick<DueFacts, 'host' | 'snapshots' | 'now'>,
    requested: RequestedType,
  ): TypeDecision {
    const facts = { host, snapshots: believable(snapshots, now), now, lastRun: null, failuresInRow: 0 };
    const slot = this.currentSlot(facts, jitterOf(host.name, host.schedule.jitterMs));
    return decideType(host, facts.snapshots, requested, this.ages(facts, slot));
  }

  /** Ages of snapshots: with a schedule from slot to slot, as below. */
  private ages({ host, now }: DueFacts, slot: Slot | null): (snapshot: SnapshotRecord) => number {
    const time = slot?.time ?? null;
    if (time === null) return ({ startedAt }) => now.getTime() - startedAt.getTime();
    const tolerance = toleranceOf(time, slot?.next ?? null);
    const jitterMs = jitterOf(host.name, host.schedule.jitterMs);
    return (snapshot) =>
      Math.max(0, time.getTime() - this.slotOf(host, snapshot, jitterMs).getTime() + tolerance);
  }

  /** The slot that a backup now would be for; null without a schedule. */
  private currentSlot({ host, now, lastRun, failuresInRow }: DueFacts, jitterMs: number): Slot | null {
    const { schedule } = host;
    const { slots } = schedule;
    if (slots === 'never') return neverOnSchedule;
    if (slots.length === 0) return null;
    const found = this.slots.around(slots, schedule.timeZone, later(now, -jitterMs));
    const last = found.last && later(found.last, jitterMs);
    const next = found.next && later(found.next, jitterMs);
    if (last === null)
      return { isYes: false, reason: { kind: 'no slot yet' }, nextAt: next, time: null, next };
    const lateMs = now.getTime() - last.getTime();
    // What was begun in time and failed may be tried again until the next time.
    const isBegun = failuresInRow > 0 && lastRun !== null && askedAt(lastRun) >= last;
    const isYes = lateMs <= schedule.catchUpMs || lateMs < 60_000 || isBegun;
    const reason = { kind: 'slot', at: last, isYes } as const;
    return { isYes, reason, nextAt: isYes ? null : next, time: last, next };
  }

  /**
   * With a schedule, ages are counted from slot to slot: a backup that waited in the queue or started late does not
   * move the next one, and neither does the change to summer time.
   */
  private ageAtSlot({ host, snapshots }: DueFacts, { time, next }: Slot, jitterMs: number): Answer {
    const [snapshot] = snapshots;
    if (!snapshot) return withoutSnapshot;
    if (time === null) return { isYes: false, reason: null, nextAt: next };
    if (snapshot.startedAt >= time)
      return { isYes: false, reason: { kind: 'slot is served', snapshot }, nextAt: next };
    const from = this.slotOf(host, snapshot, jitterMs);
    const ageMs = time.getTime() - from.getTime();
    const wantedMs = host.maxAgeIncr * dayMs;
    const isYes = ageMs + toleranceOf(time, next) >= wantedMs;
    const reason = { kind: 'age at slot', snapshot, from, ageMs, wantedMs, isYes } as const;
    return { isYes, reason, nextAt: isYes ? null : next };
  }

  private slotOf({ schedule }: Host, { startedAt }: SnapshotRecord, jitterMs: number): Date {
    const { slots, timeZone } = schedule;
    if (slots === 'never') return startedAt;
    const { last } = this.slotsOfSnapshots.around(slots, timeZone, later(startedAt, -jitterMs));
    return last === null ? startedAt : later(last, jitterMs);
  }
}

/** Most decisions are only asked whether they say yes: all that takes longer is made where it is read. */
class Decision implements DueDecision {
  readonly isDue: boolean;
  readonly isOnSchedule: boolean;
  readonly isWindowOpen: boolean;
  readonly noUntil: Date | null;
  readonly overdue: number;

  /** `ahead` snapshots did not count. */
  constructor(
    private readonly facts: DueFacts,
    private readonly answers: readonly [onSchedule: Answer, age: Answer, retry: Answer, window: Answer],
    private readonly ahead: number,
    private readonly decideTypeNow: () => TypeDecision,
  ) {
    const [onSchedule, age, retry, window] = answers;
    this.isDue = onSchedule.isYes && age.isYes && retry.isYes && window.isYes;
    this.isOnSchedule = onSchedule.isYes;
    this.isWindowOpen = window.isYes;
    this.noUntil = this.isDue ? null : latest(answers);
    this.overdue = overdueOf(facts);
  }

  get type(): TypeDecision {
    return this.decideTypeNow();
  }

  get reasons(): readonly string[] {
    const ahead: DueReason[] = this.ahead === 0 ? [] : [{ kind: 'snapshots ahead', count: this.ahead }];
    const said = this.answers.flatMap(({ reason }) => reason ?? []);
    return [...ahead, ...said].map(sentenceOf);
  }

  get nextAt(): Date | null {
    return this.noUntil && inWindow(this.facts.host, this.noUntil);
  }
}

function ageNow({ host, snapshots, now }: DueFacts, jitterMs: number): Answer {
  const [snapshot] = snapshots;
  if (!snapshot) return withoutSnapshot;
  const wantedMs = host.maxAgeIncr * dayMs + jitterMs;
  const ageMs = now.getTime() - snapshot.startedAt.getTime();
  const isYes = ageMs >= wantedMs;
  const reason = { kind: 'age now', snapshot, ageMs, wantedMs, isYes } as const;
  return { isYes, reason, nextAt: isYes ? null : later(snapshot.startedAt, wantedMs) };
}

/** Where clocks change a day may have 23 hours; half the way to the next time keeps apart what comes more often. */
function toleranceOf(slot: Date, next: Date | null): number {
  return Math.min(hourMs, next === null ? hourMs : (next.getTime() - slot.getTime()) / 2);
}

/** After a failure it waits, longer with each one in a row; after a cancel on request until the next time. */
function mayTryAgain({ host, lastRun, failuresInRow, now }: DueFacts, slot: Date | null): Answer {
  if (!lastRun?.endedAt) return yes;
  // Nothing is waited for from a time that is still to come: the clock was wrong then.
  if (lastRun.endedAt.getTime() > now.getTime() + clockStepMs) return yes;
  const wasCancelled = lastRun.state === 'CANCELLED' && lastRun.error?.reason === 'CANCELLED';
  if (wasCancelled) {
    const again = later(lastRun.endedAt, host.maxAgeIncr * dayMs);
    const isOver = slot === null ? now >= again : askedAt(lastRun) < slot;
    if (isOver) return yes;
    return { isYes: false, reason: { kind: 'cancelled' }, nextAt: slot === null ? again : null };
  }
  if (failuresInRow === 0) return yes;
  const waitMs = Math.min(longestRetryMs, host.retryAfterMs * 2 ** (failuresInRow - 1));
  const again = later(lastRun.endedAt, waitMs);
  const isYes = now >= again;
  const cause = lastRun.error?.reason ?? null;
  const reason = { kind: 'failed', times: failuresInRow, cause, again, isYes } as const;
  return { isYes, reason, nextAt: isYes ? null : again };
}

/** When a run was asked for: never after its end, also where the clock was ahead then and is right by now. */
function askedAt({ createdAt, endedAt }: RunRecord): Date {
  return endedAt !== null && endedAt < createdAt ? endedAt : createdAt;
}

function windowAnswer({ host, now }: DueFacts, isAsked: boolean): Answer {
  const { windows, schedule } = host;
  if (windows.length === 0 || !isAsked) return yes;
  if (isWindowOpen(windows, schedule.timeZone, now)) return windowIsOpen;
  const opensAt = nextWindowOpening(windows, schedule.timeZone, now);
  return { isYes: false, reason: { kind: 'window closed', opensAt }, nextAt: opensAt };
}

/** The moment itself, or when a window opens next after it. */
function inWindow({ windows, schedule: { timeZone } }: Host, moment: Date): Date | null {
  if (isWindowOpen(windows, timeZone, moment)) return moment;
  return nextWindowOpening(windows, timeZone, moment);
}

function overdueOf({ host, snapshots, now }: DueFacts): number {
  const [youngest] = snapshots;
  if (!youngest) return Infinity;
  return (now.getTime() - youngest.startedAt.getTime()) / Math.max(1000, host.maxAgeIncr * dayMs);
}

/** All rules must say yes, so the last of them to do so decides. */
function latest(answers: readonly Answer[]): Date | null {
  let last: Date | null = null;
  for (const { isYes, nextAt } of answers) {
    if (isYes) continue;
    if (nextAt === null) return null;
    if (last === null || nextAt > last) last = nextAt;
  }
  return last;
}

function later(moment: Date, ms: number): Date {
  return ms === 0 ? moment : new Date(moment.getTime() + ms);
}
