/**
 * When a host is on schedule: times of day (`14:00`) and cron expressions in the host's time zone, moved by its
 * jitter, and caught up when they were missed. At the change to summer time a time that does not exist runs once,
 * later; in autumn a time that comes twice runs once (both by croner, see test/core/schedule.test.ts).
 */
import { Cron } from 'croner';

export interface Schedule {
  /** `HH:MM` or cron expressions; empty means always, and `never` only by hand. */
  readonly slots: readonly string[] | 'never';
  /** IANA name. */
  readonly timeZone: string;
  /** How long after its time a missed slot is still caught up. */
  readonly catchUpMs: number;
  /** Slots are spread over this long after their time. */
  readonly jitterMs: number;
}

/** Why a schedule entry cannot be used, or null. */
export function problemOfSlot(slot: string): string | null {
  try {
    if (cronOf(slot, 'UTC').nextRun() !== null) return null;
    return `"${slot}" never comes`;
  } catch {
    return `"${slot}" is neither a time of day (HH:MM) nor a cron expression`;
  }
}

/** There are some hundreds; asking the system costs a millisecond and 20 KiB, for each of a thousand hosts. */
const knownZones = new Set<string>();

/** Whether the system knows a time zone of this name. */
export function isTimeZone(name: string): boolean {
  if (knownZones.has(name)) return true;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    return false;
  }
  knownZones.add(name);
  return true;
}

/** How much later than its times a host runs: the same for one name always, spread evenly over names. */
export function jitterOf(hostName: string, jitterMs: number): number {
  if (jitterMs <= 0) return 0;
  // FNV-1a: small, and known to spread short texts well.
  let hash = 0x811c9dc5;
  for (const char of hostName) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return Math.floor(((hash >>> 0) / 0x1_0000_0000) * jitterMs);
}

/** The slots around a moment, without jitter. */
export interface SlotsAround {
  /** The newest one at or before the moment; null when there was none in the last years. */
  readonly last: Date | null;
  /** The first one after it. */
  readonly next: Date | null;
}

/** So many times between slots are remembered of each schedule: snapshots of many hosts lie in a few of them. */
const mostKnown = 16;

interface KnownSlots extends SlotsAround {
  readonly from: number;
  readonly until: number;
}

/**
 * Finds slots, and remembers them: looking one up costs hundreds of microseconds, and a pass over ten thousand hosts
 * asks for the same ones again and again until the next slot has come.
 */
export class SlotFinder {
  private readonly schedules = new Map<string, { known: KnownSlots[] }>();
  /** The schedules by the lists of their hosts: so their keys are not made again for each question. */
  private readonly byList = new WeakMap<
    readonly string[],
    { timeZone: string; schedule: { known: KnownSlots[] } }
  >();

  /** `slots` are not empty. */
  around(slots: readonly string[], timeZone: string, moment: Date): SlotsAround {
    const schedule = this.scheduleOf(slots, timeZone);
    const time = moment.getTime();
    for (const known of schedule.known) if (time >= known.from && time < known.until) return known;
    const found = slotsAround(slots, timeZone, moment);
    const made = { ...found, from: found.last?.getTime() ?? time, until: found.next?.getTime() ?? time };
    schedule.known = [made, ...schedule.known.slice(0, mostKnown - 1)];
    return made;
  }

  /** Hosts with equal schedules share one. */
  private scheduleOf(slots: readonly string[], timeZone: string): { known: KnownSlots[] } {
    const before = this.byList.get(slots);
    if (before?.timeZone === timeZone) return before.schedule;
    const key = `${timeZone}\n${slots.join('\n')}`;
    const schedule = this.schedules.get(key) ?? { known: [] };
    this.schedules.set(key, schedule);
    this.byList.set(slots, { timeZone, schedule });
    return schedule;
  }
}

function slotsAround(slots: readonly string[], timeZone: string, moment: Date): SlotsAround {
  let last: Date | null = null;
  let next: Date | null = null;
  for (const slot of slots) {
    const cron = cronOf(slot, timeZone);
    const before = lastOf(cron, moment);
    const after = cron.nextRun(moment);
    if (before !== null && (last === null || before > last)) last = before;
    if (after !== null && (next === null || after < next)) next = after;
  }
  return { last, next };
}

function lastOf(cron: Cron, moment: Date): Date | null {
  // croner looks for slots before a moment, but one at the moment itself has come too.
  const justAfter = new Date(moment.getTime() + 1000);
  const [newest] = cron.previousRuns(1, justAfter);
  if (newest === undefined || newest <= moment) return newest ?? null;
  return cron.previousRuns(2, justAfter).find((slot) => slot <= moment) ?? null;
}

function cronOf(slot: string, timezone: string): Cron {
  const time = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(slot.trim());
  // croner also takes dates, and what looks like one; a schedule comes again and again.
  if (!time && !/^(@[a-z]+|\S+(\s+\S+){4,6})$/.test(slot.trim())) throw new Error(`"${slot}" is no schedule`);
  const pattern = time ? `${Number(time[2])} ${Number(time[1])} * * *` : slot;
  return new Cron(pattern, { timezone, paused: true });
}
