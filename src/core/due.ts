/**
 * Whether a host needs a backup now, with the reasons. The rules are those of the original BUSY: on schedule, and no
 * snapshot or the youngest at least `max_age_incr` days old. Whether the host is online is asked afterwards: an
 * absent host stays due and is backed up when it appears, within `catch_up`.
 */
import { decideType, type TypeDecision } from './backup-type.js';
import type { Host } from './host.js';
import type { RequestedType, RunRecord } from './run.js';
import { jitterOf, SlotFinder } from './schedule.js';
import { believable, isHeld, type SnapshotRecord } from './snapshot.js';
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
  /** Which type a backup would have now. */
  readonly type: TypeDecision;
  /** Plain sentences, in the order in which the rules were asked. */
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
  readonly reason: string;
  readonly nextAt: Date | null;
}

interface Slot extends Answer {
  /** With the jitter of the host; null when none has come yet. */
  readonly time: Date | null;
  readonly next: Date | null;
}

/** Decides for one host after the other; keeps only what makes the next look faster. */
export class DueRules {
  private readonly slots = new SlotFinder();
  private readonly slotsOfSnapshots = new SlotFinder();

  decide(asked: DueFacts): DueDecision {
    const { host, now } = asked;
    const facts = { ...asked, snapshots: believable(asked.snapshots, now) };
    const ahead = asked.snapshots.length - facts.snapshots.length;
    const slot = this.currentSlot(facts);
    const type = decideType(host, facts.snapshots, 'auto', this.ages(facts, slot));
    const age = slot === null ? ageNow(facts) : this.ageAtSlot(facts, slot.time, slot.next);
    const onSchedule: Answer = slot ?? {
      isYes: true,
      reason: 'there is no schedule, so it is always on schedule',
      nextAt: null,
    };
    const retry = mayTryAgain(facts, slot?.time ?? null);
    const isDueByRules = onSchedule.isYes && age.isYes && retry.isYes;
    const window = windowAnswer(facts, isDueByRules);
    const answers = [onSchedule, age, retry, window];
    const isDue = isDueByRules && window.isYes;
    const noUntil = isDue ? null : latest(answers);
    return {
      isDue,
      isOnSchedule: onSchedule.isYes,
      isWindowOpen: window.isYes,
      type,
      reasons: [
        ...(ahead === 0
          ? []
          : [`${ahead} snapshots lie in the future and do not count; is the clock right?`]),
        ...answers.flatMap(({ reason }) => (reason === '' ? [] : [reason])),
      ],
      nextAt: noUntil && inWindow(host, noUntil),
      noUntil,
      overdue: overdueOf(facts),
    };
  }

  /** Which type a backup that begins now has. */
  typeNow(
    { host, snapshots, now }: Pick<DueFacts, 'host' | 'snapshots' | 'now'>,
    requested: RequestedType,
  ): TypeDecision {
    const facts = { host, snapshots: believable(snapshots, now), now, lastRun: null, failuresInRow: 0 };
    return decideType(host, facts.snapshots, requested, this.ages(facts, this.currentSlot(facts)));
  }

  /** Ages of snapshots: with a schedule from slot to slot, as below. */
  private ages({ host, now }: DueFacts, slot: Slot | null): (snapshot: SnapshotRecord) => number {
    const time = slot?.time ?? null;
    if (time === null) return ({ startedAt }) => now.getTime() - startedAt.getTime();
    const tolerance = toleranceOf(time, slot?.next ?? null);
    return (snapshot) => Math.max(0, time.getTime() - this.slotOf(host, snapshot).getTime() + tolerance);
  }

  /** The slot that a backup now would be for; null without a schedule. */
  private currentSlot({ host, now, lastRun, failuresInRow }: DueFacts): Slot | null {
    const { schedule } = host;
    const { slots } = schedule;
    if (slots === 'never') {
      return {
        isYes: false,
        reason: 'its schedule is never: only by hand',
        nextAt: null,
        time: null,
        next: null,
      };
    }
    if (slots.length === 0) return null;
    const jitter = jitterOf(host.name, schedule.jitterMs);
    const found = this.slots.around(slots, schedule.timeZone, new Date(now.getTime() - jitter));
    const last = found.last && new Date(found.last.getTime() + jitter);
    const next = found.next && new Date(found.next.getTime() + jitter);
    if (last === null)
      return { isYes: false, reason: 'no time of the schedule has come yet', nextAt: next, time: null, next };
    const lateMs = now.getTime() - last.getTime();
    // What was begun in time and failed may be tried again until the next time.
    const isBegun = failuresInRow > 0 && lastRun !== null && lastRun.createdAt >= last;
    const isYes = lateMs <= schedule.catchUpMs || lateMs < 60_000 || isBegun;
    const reason = isYes
      ? `the schedule asked for it at ${show(last)}`
      : `the schedule asked for it at ${show(last)}, longer ago than catch_up`;
    return { isYes, reason, nextAt: isYes ? null : next, time: last, next };
  }

  /**
   * With a schedule, ages are counted from slot to slot: a backup that waited in the queue or started late does not
   * move the next one, and neither does the change to summer time.
   */
  private ageAtSlot(facts: DueFacts, slot: Date | null, next: Date | null): Answer {
    const { host, snapshots } = facts;
    const [youngest] = snapshots;
    if (!youngest) return { isYes: true, reason: 'there is no snapshot yet', nextAt: null };
    if (slot === null) return { isYes: false, reason: '', nextAt: next };
    if (youngest.startedAt >= slot) {
      return { isYes: false, reason: `the snapshot ${youngest.name} was made for that time`, nextAt: next };
    }
    const from = this.slotOf(host, youngest);
    const age = slot.getTime() - from.getTime();
    const wanted = host.maxAgeIncr * dayMs;
    const isYes = age + toleranceOf(slot, next) >= wanted;
    const reason =
      `the youngest snapshot ${nameOf(youngest)} stands for ${show(from)}, ${days(age)} days before, ` +
      relationTo(wanted, isYes);
    return { isYes, reason, nextAt: isYes ? null : next };
  }

  private slotOf(host: Host, snapshot: SnapshotRecord): Date {
    const { slots, timeZone } = host.schedule;
    if (slots === 'never') return snapshot.startedAt;
    const jitter = jitterOf(host.name, host.schedule.jitterMs);
    const moment = new Date(snapshot.startedAt.getTime() - jitter);
    const { last } = this.slotsOfSnapshots.around(slots, timeZone, moment);
    return last === null ? snapshot.startedAt : new Date(last.getTime() + jitter);
  }
}

function ageNow({ host, snapshots, now }: DueFacts): Answer {
  const [youngest] = snapshots;
  if (!youngest) return { isYes: true, reason: 'there is no snapshot yet', nextAt: null };
  const wanted = host.maxAgeIncr * dayMs + jitterOf(host.name, host.schedule.jitterMs);
  const age = now.getTime() - youngest.startedAt.getTime();
  const isYes = age >= wanted;
  const reason = `the youngest snapshot ${nameOf(youngest)} is ${days(age)} days old, ${relationTo(wanted, isYes)}`;
  return { isYes, reason, nextAt: isYes ? null : new Date(youngest.startedAt.getTime() + wanted) };
}

function nameOf(snapshot: SnapshotRecord): string {
  return isHeld(snapshot) ? `${snapshot.name} (held)` : snapshot.name;
}

/** Where clocks change a day may have 23 hours; half the way to the next time keeps apart what comes more often. */
function toleranceOf(slot: Date, next: Date | null): number {
  return Math.min(hourMs, next === null ? hourMs : (next.getTime() - slot.getTime()) / 2);
}

function relationTo(wanted: number, isYes: boolean): string {
  return `which is ${isYes ? 'at least' : 'less than'} max_age_incr (${days(wanted)})`;
}

function days(ms: number): string {
  return (ms / dayMs).toFixed(2).replace(/\.?0+$/, '');
}

/** After a failure it waits, longer with each one in a row; after a cancel on request until the next time. */
function mayTryAgain({ host, lastRun, failuresInRow, now }: DueFacts, slot: Date | null): Answer {
  const yes: Answer = { isYes: true, reason: '', nextAt: null };
  if (!lastRun?.endedAt) return yes;
  // Nothing is waited for from a time that is still to come: the clock was wrong then.
  if (lastRun.endedAt.getTime() > now.getTime() + clockStepMs) return yes;
  const wasCancelled = lastRun.state === 'CANCELLED' && lastRun.error?.reason === 'CANCELLED';
  if (wasCancelled) {
    const again = new Date(lastRun.endedAt.getTime() + host.maxAgeIncr * dayMs);
    const isOver = slot === null ? now >= again : lastRun.createdAt < slot;
    if (isOver) return yes;
    return {
      isYes: false,
      reason: `the last run was cancelled on request`,
      nextAt: slot === null ? again : null,
    };
  }
  if (failuresInRow === 0) return yes;
  const waitMs = Math.min(longestRetryMs, host.retryAfterMs * 2 ** (failuresInRow - 1));
  const again = new Date(lastRun.endedAt.getTime() + waitMs);
  const times = failuresInRow === 1 ? 'the last run' : `the last ${failuresInRow} runs`;
  const failed = `${times} failed${lastRun.error ? ` (${lastRun.error.reason})` : ''}`;
  if (now >= again) return { isYes: true, reason: `${failed}, and it is time to try again`, nextAt: null };
  return { isYes: false, reason: `${failed}; it is tried again at ${show(again)}`, nextAt: again };
}

function windowAnswer({ host, now }: DueFacts, isAsked: boolean): Answer {
  const { windows, schedule } = host;
  if (windows.length === 0 || !isAsked) return { isYes: true, reason: '', nextAt: null };
  if (isWindowOpen(windows, schedule.timeZone, now)) {
    return { isYes: true, reason: 'its window is open', nextAt: null };
  }
  const next = nextWindowOpening(windows, schedule.timeZone, now);
  const when = next ? `; it opens at ${show(next)}` : '';
  return { isYes: false, reason: `its window is closed${when}`, nextAt: next };
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
  const times = answers.filter(({ isYes }) => !isYes).map(({ nextAt }) => nextAt);
  if (times.some((time) => time === null)) return null;
  return times.reduce<Date | null>(
    (last, time) => (last === null || (time && time > last) ? time : last),
    null,
  );
}

function show(moment: Date): string {
  return moment.toISOString().replace(/\.\d+Z$/, 'Z');
}
