/**
 * Which snapshots of a host are archived, and why not the others. Pure.
 *
 * What retention never removes is never taken from the backup disk here either: the newest, the newest whole one and the
 * youngest full one. These are also the link bases of the next backup and of one that runs, so none is taken away under
 * it. And as there, nothing goes while the newest backup failed or the newest snapshot is held.
 */
import { formatCount } from './figures.js';
import type { Host } from './host.js';
import type { RunRecord } from './run.js';
import { SlotFinder } from './schedule.js';
import { isHeld, type SnapshotRecord } from './snapshot.js';

export interface ArchivingFacts {
  readonly host: Host;
  /** Committed ones that are on the disk now, newest first. */
  readonly snapshots: readonly SnapshotRecord[];
  /** As in `RetentionFacts`. */
  readonly failuresInRow: number;
  readonly now: Date;
}

export interface ArchivingVerdict {
  readonly snapshot: SnapshotRecord;
  /** It is at least max_age days old. */
  readonly isOld: boolean;
  /** It is to be archived. */
  readonly isDue: boolean;
  /** One plain sentence without a full stop. */
  readonly reason: string;
}

const dayMs = 86_400_000;

/** Judges all snapshots of a host for its archive_schedule; newest first. */
export function judgeArchiving(facts: ArchivingFacts): ArchivingVerdict[] {
  const { host, snapshots, now } = facts;
  return snapshots.map((snapshot) => {
    const ageMs = now.getTime() - snapshot.startedAt.getTime();
    const age = `it is ${formatCount(Math.floor(ageMs / dayMs))} days old, and max_age is ${host.maxAge}`;
    const isOld = ageMs >= host.maxAge * dayMs;
    const why = isOld ? (whyStays(facts, snapshot) ?? whyUnfit(snapshot)) : null;
    const reason = why === null ? age : `${why} (${age})`;
    return { snapshot, isOld, isDue: isOld && why === null, reason };
  });
}

/**
 * Why a snapshot must stay on the backup disk, also when there is an archive of it; null when nothing stands against
 * taking it away.
 */
export function whyStays(
  { snapshots, failuresInRow }: Pick<ArchivingFacts, 'snapshots' | 'failuresInRow'>,
  { name }: Pick<SnapshotRecord, 'name'>,
): string | null {
  const [newest] = snapshots;
  const good = snapshots.filter((snapshot) => !isHeld(snapshot));
  const isFirst = (isOne: (other: SnapshotRecord) => boolean): boolean => good.find(isOne)?.name === name;
  if (snapshots.some((snapshot) => snapshot.name === name && isHeld(snapshot))) return 'it is held';
  const reasons = [
    ...(isFirst(() => true) ? ['the newest'] : []),
    ...(isFirst(({ outcome }) => outcome === 'SUCCEEDED') ? ['the newest without missing files'] : []),
    ...(isFirst(({ type }) => type === 'full') ? ['the youngest full one'] : []),
  ];
  if (reasons.length > 0) return `it is ${reasons.join(' and ')}`;
  if (newest && isHeld(newest))
    return `${newest.name} is held, and until that is decided nothing is taken away`;
  if (failuresInRow === 0) return null;
  return 'the newest backup failed, and until one succeeds nothing is taken away';
}

function whyUnfit({ damagedFileCount }: SnapshotRecord): string | null {
  if (damagedFileCount === 0) return null;
  return `${formatCount(damagedFileCount)} of its files are damaged, so an archive would not be what was backed up`;
}

export interface ArchiveSlotFacts {
  readonly host: Host;
  /** The newest run of the host that archived; null when there is none. */
  readonly lastRun: RunRecord | null;
  readonly now: Date;
}

const finder = new SlotFinder();
/** A daemon looks once a minute. */
const shortestMs = 120_000;

/** The slot of archive_schedule that has come and for which nothing was done yet; null when there is none. */
export function dueArchiveSlot({ host, lastRun, now }: ArchiveSlotFacts): Date | null {
  const { archivedir, archive, schedule } = host;
  if (archivedir === '' || archive.slots === 'never' || archive.slots.length === 0) return null;
  const slot = finder.around(archive.slots, schedule.timeZone, now).last;
  if (slot === null || now.getTime() - slot.getTime() > Math.max(schedule.catchUpMs, shortestMs)) return null;
  if (lastRun !== null && lastRun.createdAt >= slot && !wasCutShort(lastRun)) return null;
  return slot;
}

/** It ended before its time, by nobody's wish. */
function wasCutShort({ state, error }: RunRecord): boolean {
  const reason = error?.reason ?? '';
  return state === 'INTERRUPTED' || reason === 'CANCELLED_BY_STOP' || reason === 'ARCHIVING_FOR_SCRIPT';
}
