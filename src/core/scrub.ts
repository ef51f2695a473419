/**
 * The rolling scrub: which part of a host's snapshots is read tonight. Pure.
 *
 * Contents are divided into 256 parts by the first byte of their hash. So each content belongs to one part, whatever
 * its name and in however many snapshots it is, all parts are about equally large, and one part after the other means
 * that every byte is read once, with the work spread evenly over the nights.
 */
import type { ManifestEntry } from './manifest.js';
import type { RunRecord } from './run.js';
import type { Host } from './host.js';
import { isWindowOpen } from './windows.js';

export const partCount = 256;

/** When each part was last read, by its number; those that never were are missing. */
export type PartTimes = ReadonlyMap<number, Date>;

const dayMs = 86_400_000;
/** The window of a night counts once, also where the clock is set back in it. */
const onceInMs = 20 * 3_600_000;

/** The part that an entry belongs to. What has no content is spread by its path. */
export function partOf({ hash, path }: Pick<ManifestEntry, 'hash' | 'path'>): number {
  if (hash !== '') return Number.parseInt(hash.slice(0, 2), 16);
  let sum = 0;
  for (let at = 0; at < path.length; at++) sum = (sum * 31 + path.charCodeAt(at)) % partCount;
  return sum;
}

/**
 * The parts to read now, so that all are read in `everyDays` days: those that were read longest ago. Twice as many
 * while some are overdue, since nights were missed.
 */
export function partsForNow(times: PartTimes, everyDays: number, now: Date): number[] {
  const timeOf = (part: number): number => times.get(part)?.getTime() ?? -Infinity;
  const oldestFirst = Array.from({ length: partCount }, (_, part) => part).sort((a, b) => {
    const [first, second] = [timeOf(a), timeOf(b)];
    return first === second ? a - b : first - second;
  });
  const share = Math.min(partCount, Math.ceil(partCount / everyDays));
  const hasBegun = times.size > 0;
  const isLate = (part: number | undefined): boolean =>
    hasBegun && part !== undefined && times.has(part) && now.getTime() - timeOf(part) > everyDays * dayMs;
  return oldestFirst.slice(0, isLate(oldestFirst[0]) ? 2 * share : share);
}

/**
 * Since when every byte of a snapshot has been read and compared at least once, or null. `whole`: when it was last
 * verified as a whole.
 */
export function verifiedSince(committedAt: Date, whole: Date | null, times: PartTimes): Date | null {
  const oldest = Math.min(
    ...Array.from({ length: partCount }, (_, part) => {
      const time = times.get(part);
      return time !== undefined && time > committedAt ? time.getTime() : -Infinity;
    }),
  );
  const latest = Math.max(oldest, whole?.getTime() ?? -Infinity);
  return latest === -Infinity ? null : new Date(latest);
}

export interface ScrubFacts {
  readonly host: Host;
  /** It has a snapshot with a manifest. */
  readonly hasManifest: boolean;
  /** The newest scrub of the host. */
  readonly lastScrub: RunRecord | null;
  readonly now: Date;
}

/** Whether a scrub of the host is to be started now. */
export function isScrubDue({ host, hasManifest, lastScrub, now }: ScrubFacts): boolean {
  if (host.verifyEvery === 0 || !hasManifest) return false;
  if (!isWindowOpen(host.verifySchedule, host.schedule.timeZone, now)) return false;
  if (lastScrub === null || wasCutShort(lastScrub)) return true;
  return Math.abs(now.getTime() - lastScrub.createdAt.getTime()) >= onceInMs;
}

/** It ended before its time, by nobody's wish. */
function wasCutShort({ state, error }: RunRecord): boolean {
  const reason = error?.reason ?? '';
  return state === 'INTERRUPTED' || reason === 'CANCELLED_BY_STOP' || reason === 'CANCELLED_FOR_SCRIPT';
}
