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

/**
 * Finds slots, and remembers them: looking one up costs tens of microseconds, and a pass over ten thousand hosts
 * asks for the same ones again and again until the next slot has come.
 */
export class SlotFinder {
  private readonly known = new Map<string, (SlotsAround & { from: number; until: number })[]>();

  /** `slots` are not empty. */
  around(slots: readonly string[], timeZone: string, moment: Date): SlotsAround {
    const key = `${timeZone}\n${slots.join('\n')}`;
    const time = moment.getTime();
    const known = this.known.get(key) ?? [];
    const hit = known.find(({ from, until }) => time >= from && time < until);
    if (hit) return hit;
    const found = slotsAround(slots, timeZone, moment);
    const from = found.last?.getTime() ?? time;
    const made = { ...found, from, until: found.next?.getTime() ?? time };
    this.known.set(key, [made, ...known.slice(0, mostKnown - 1)]);
    return found;
  }
}

function slotsAround(slots: readonly string[], timeZone: string, moment: Date): SlotsAround {
  const crons = slots.map((slot) => cronOf(slot, timeZone));
  // croner looks for slots before a moment, but one at the moment itself has come too.
  const justAfter = new Date(moment.getTime() + 1000);
  const before = crons
    .flatMap((cron) => cron.previousRuns(2, justAfter))
    .filter((slot) => slot <= moment)
    .map(Number);
  const after = crons
    .map((cron) => cron.nextRun(moment))
    .flatMap((slot) => (slot === null ? [] : [slot.getTime()]));
  return {
    last: before.length === 0 ? null : new Date(Math.max(...before)),
    next: after.length === 0 ? null : new Date(Math.min(...after)),
  };
}

function cronOf(slot: string, timezone: string): Cron {
  const time = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(slot.trim());
  // croner also takes dates, and what looks like one; a schedule comes again and again.
  if (!time && !/^(@[a-z]+|\S+(\s+\S+){4,6})$/.test(slot.trim())) throw new Error(`"${slot}" is no schedule`);
  const pattern = time ? `${Number(time[2])} ${Number(time[1])} * * *` : slot;
  return new Cron(pattern, { timezone, paused: true });
}
