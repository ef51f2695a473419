/** How a host is, at one look: the worst that is to be said of it, in the order in which people need to know. */
import type { Host } from './host.js';
import type { RunRecord } from './run.js';
import { isHeld, newestOf, type SnapshotRecord } from './snapshot.js';

/** From worst to best. */
export const hostConditions = ['failing', 'held', 'late', 'partial', 'new', 'good'] as const;
export type HostCondition = (typeof hostConditions)[number];

export interface ConditionFacts {
  readonly host: Pick<Host, 'maxAgeIncr' | 'alertAfter' | 'schedule' | 'hostKey'>;
  /** Newest first. */
  readonly snapshots: readonly SnapshotRecord[];
  readonly lastRun: RunRecord | null;
  /** How many of the last runs failed, one after the other. */
  readonly failuresInRow: number;
  readonly now: Date;
}

const dayMs = 86_400_000;
/** A snapshot may be this many times as old as one that makes a backup due: a laptop is closed, a queue is long. */
const lateFactor = 2;

/** Answers the condition and why, in plain words. */
export function conditionOf(facts: ConditionFacts): { condition: HostCondition; reason: string } {
  const { host, snapshots, lastRun, failuresInRow } = facts;
  const { good, held } = newestOf(snapshots);
  if (failuresInRow > 0 && lastRun) {
    const times = failuresInRow === 1 ? 'the last backup' : `the last ${failuresInRow} backups`;
    return { condition: 'failing', reason: `${times} failed: ${lastRun.error?.message ?? lastRun.state}` };
  }
  if (held) return { condition: 'held', reason: held.heldFor.map(({ message }) => message).join('; ') };
  if (!good) {
    const reason = host.hostKey === '' ? 'its host key is not pinned yet' : 'it has no snapshot yet';
    return { condition: 'new', reason };
  }
  const late = lateness(facts, good);
  if (late !== null) return { condition: 'late', reason: late };
  if (good.outcome === 'PARTIAL') {
    const files = good.missingFileCount === 1 ? '1 file is' : `${good.missingFileCount} files are`;
    return { condition: 'partial', reason: `${files} missing from the newest snapshot` };
  }
  return { condition: 'good', reason: '' };
}

/**
 * After how many days without a new snapshot a host is late, and the setting that says so; Infinity: never. A schedule
 * may be weekly whatever `max_age_incr` is, so with one only `alert_after` counts.
 */
export function ageLimitOf({ maxAgeIncr, alertAfter, schedule }: ConditionFacts['host']): {
  readonly days: number;
  readonly rule: string;
} {
  const alarmDays = alertAfter > 0 ? alertAfter : Infinity;
  const hasSchedule = schedule.slots === 'never' || schedule.slots.length > 0;
  const days = hasSchedule ? alarmDays : Math.min(alarmDays, maxAgeIncr * lateFactor);
  return { days, rule: days === alarmDays ? 'alert_after' : 'twice max_age_incr' };
}

/** Why the newest snapshot is too old, or null. */
function lateness({ host, snapshots, now }: ConditionFacts, good: SnapshotRecord): string | null {
  const ageDays = (now.getTime() - good.startedAt.getTime()) / dayMs;
  const { days, rule } = ageLimitOf(host);
  if (ageDays < days) return null;
  const which = snapshots.some(isHeld) ? 'newest good snapshot' : 'newest snapshot';
  return `the ${which} is ${ageDays.toFixed(1)} days old, more than ${rule} (${days} days)`;
}
