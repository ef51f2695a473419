/** When a restore drill is due by itself. Pure. */
import type { Host } from './host.js';
import type { RunRecord } from './run.js';
import type { SlotFinder } from './schedule.js';

export interface DrillFacts {
  readonly host: Host;
  /** It has a snapshot that can be drilled. */
  readonly hasSnapshot: boolean;
  /** The newest drill of the host, whoever asked for it. */
  readonly lastDrill: RunRecord | null;
  readonly slots: SlotFinder;
  readonly now: Date;
}

/** Whether a slot of `drill_schedule` has come since the last drill; missed ones are caught up as those of backups. */
export function isDrillDue({ host, hasSnapshot, lastDrill, slots, now }: DrillFacts): boolean {
  const { drillSchedule, schedule } = host;
  if (!hasSnapshot || drillSchedule.length === 0) return false;
  const { last } = slots.around(drillSchedule, schedule.timeZone, now);
  if (last === null || now.getTime() - last.getTime() > Math.max(schedule.catchUpMs, leastCatchUpMs))
    return false;
  return lastDrill === null || lastDrill.createdAt < last || wasCutShort(lastDrill);
}

/** A slot is looked for once a minute. */
const leastCatchUpMs = 120_000;

/** It ended before its time, by nobody's wish. */
function wasCutShort({ state, error }: RunRecord): boolean {
  const reason = error?.reason ?? '';
  return state === 'INTERRUPTED' || reason === 'CANCELLED_BY_STOP' || reason === 'CANCELLED_FOR_SCRIPT';
}
