/**
 * Whether there is room for a backup on its disk, with the figures. Pure. A backup may start where what it will put
 * there, and what the others that run there still will, leave `min_free`. What it will need is taken from the
 * snapshots that there are; that estimate is high rather than low, and `measuredEstimate` corrects it where it counts.
 */
import { formatBytes } from './figures.js';
import { BusyError } from './errors.js';
import { isHeld, type BackupType, type SnapshotRecord, type TransferStats } from './snapshot.js';

/** What a backup must leave free: so many bytes, or a share of the disk in percent. 0: nothing. */
export interface MinFree {
  readonly unit: 'bytes' | 'percent';
  readonly amount: number;
}

/** Space on a disk: bytes, and entries of its table of files. */
export interface Amount {
  readonly bytes: number;
  readonly inodes: number;
}

/** What a file system has, for the daemon's user. `total.inodes` is 0 where it makes them as it needs them. */
export interface DiskRoom {
  readonly free: Amount;
  readonly total: Amount;
}

/** What some directories take up on their disk, all together. */
export interface DiskUsage {
  /** As `du` counts: each file once, however many links to it there are inside. */
  readonly seen: Amount;
  /** What is freed when they are deleted: files that have links elsewhere stay. */
  readonly own: Amount;
  /**
   * Each file divided among all its links, so it may have a fraction: the shares of all that link to it add up to what
   * they take together.
   */
  readonly sharedBytes: number;
}

/** Directories of unfinished backups, of what is being removed, and of what is in the trash. Absolute. */
export type Leftovers = Readonly<Record<'unfinished' | 'removed' | 'trashed', string[]>>;

/** What a backup will put on the disk. */
export interface Estimate {
  /** Null where nothing is known. */
  readonly need: Amount | null;
  /** What it was taken from, to stand in a sentence: "as ...". */
  readonly basis: string;
}

export interface RoomFacts {
  readonly room: DiskRoom;
  readonly minFree: MinFree;
  /** What other backups that run on this disk will still put there. */
  readonly promised: Amount;
  readonly estimate: Estimate;
}

export interface RoomDecision {
  readonly fits: boolean;
  /** All figures, in one sentence without a full stop. */
  readonly reason: string;
}

export const nothing: Amount = { bytes: 0, inodes: 0 };

/** The share of inodes that stays free where `min_free` is a size, which says nothing of them. */
const inodePercent = 1;

/** So many incremental ones are looked at, so that one unusual day does not stop all that follow. */
const incrementalsSeen = 5;

/** A block of the usual size: small files take up at least this, and rsync counts only what is in them. */
const blockBytes = 4096;

/**
 * From the newest snapshots what a backup of this type will need, or more. `all`: newest first; held ones say nothing of
 * it, since their source is not as it should be.
 */
export function estimateNeed(type: BackupType, all: readonly SnapshotRecord[]): Estimate {
  const snapshots = all.filter((snapshot) => !isHeld(snapshot));
  const [newest] = snapshots;
  if (type === 'full') {
    if (!newest) return { need: null, basis: 'unknown, since it is the first backup' };
    // Whatever type the newest is, a full copy has all that it has.
    const { totalBytes, fileCount } = newest.stats;
    return { need: padded(totalBytes, fileCount), basis: `as much as ${newest.name} holds` };
  }
  const recent = snapshots.filter((snapshot) => snapshot.type === type).slice(0, incrementalsSeen);
  const bySize = recent.toSorted((a, b) => addedBytes(a.stats) - addedBytes(b.stats));
  const middle = bySize[Math.floor((bySize.length - 1) / 2)];
  if (!middle) return { need: null, basis: 'unknown, since it is the first incremental one' };
  const need = padded(addedBytes(middle.stats), middle.stats.filesCreated);
  return { need, basis: `as much as ${middle.name} added` };
}

/** What is copied on the server because of attributes alone is not sent. Snapshots of an older BUSY know only what was. */
function addedBytes({ transferredBytes, copiedBytes }: TransferStats): number {
  return Math.max(transferredBytes, copiedBytes);
}

/** The snapshot whose real size tells what a backup of this type will need; undefined where none does. */
export function snapshotToMeasure(
  type: BackupType,
  snapshots: readonly SnapshotRecord[],
): SnapshotRecord | undefined {
  return snapshots.find((snapshot) => !isHeld(snapshot) && (type === 'full' || snapshot.type === type));
}

/**
 * The estimate by what the disk says: `usage` of the snapshot to measure (smaller than what rsync counts where files
 * are sparse or hard links), less what unfinished backups have there already, which is not copied again.
 */
export function measuredEstimate(
  type: BackupType,
  { need, basis }: Estimate,
  usage: DiskUsage | null,
  unfinished: Amount,
): Estimate {
  if (!need) return { need, basis };
  const real = (type === 'full' ? usage?.seen : usage?.own) ?? need;
  const amount = {
    bytes: Math.max(0, Math.min(need.bytes, real.bytes) - unfinished.bytes),
    inodes: Math.max(0, Math.min(need.inodes, real.inodes) - unfinished.inodes),
  };
  const less = unfinished.bytes > 0 ? `, less ${formatBytes(unfinished.bytes)} that are there already` : '';
  return { need: amount, basis: `${basis}, measured on the disk${less}` };
}

/** What `min_free` means on this disk. */
export function reserveOf({ unit, amount }: MinFree, { total }: DiskRoom): Amount {
  const percent = unit === 'percent' ? amount : amount === 0 ? 0 : inodePercent;
  return {
    bytes: unit === 'percent' ? Math.round((total.bytes * amount) / 100) : amount,
    inodes: Math.round((total.inodes * percent) / 100),
  };
}

/** How many bytes may be used before `min_free` is touched; negative when it is already. */
export function freeFor(room: DiskRoom, minFree: MinFree): number {
  return room.free.bytes - reserveOf(minFree, room).bytes;
}

/** Whether a backup may start. */
export function judgeRoom({ room, minFree, promised, estimate }: RoomFacts): RoomDecision {
  const reserve = reserveOf(minFree, room);
  const need = estimate.need ?? nothing;
  const missing = {
    bytes: reserve.bytes + promised.bytes + need.bytes - room.free.bytes,
    inodes: room.total.inodes === 0 ? 0 : reserve.inodes + promised.inodes + need.inodes - room.free.inodes,
  };
  const wants = [
    `this backup will need ${estimate.need ? `about ${formatBytes(need.bytes)} (${estimate.basis})` : `an amount that is ${estimate.basis}`}`,
    ...(promised.bytes > 0 ? [`those that run there still want ${formatBytes(promised.bytes)}`] : []),
    `min_free keeps ${formatBytes(reserve.bytes)}`,
  ];
  const bytes = `${formatBytes(room.free.bytes)} of ${formatBytes(room.total.bytes)} are free, ${wants.join(', ')}`;
  if (missing.bytes > 0)
    return { fits: false, reason: `${bytes}: ${formatBytes(missing.bytes)} are missing` };
  if (missing.inodes <= 0) return { fits: true, reason: bytes };
  const reason = `${room.free.inodes} of ${room.total.inodes} inodes are free, this backup will need about ${need.inodes} (${estimate.basis}), those that run there still want ${promised.inodes}, and ${reserve.inodes} are kept: ${missing.inodes} are missing`;
  return { fits: false, reason };
}

/**
 * Why a backup that runs must stop: the disk has less than half of `min_free`. The other half is for what no estimate
 * knows, so that a backup is not stopped for a little more than was expected. Null: it may go on.
 */
export function judgeFloor(room: DiskRoom, minFree: MinFree): BusyError | null {
  const reserve = reserveOf(minFree, room);
  const isLow = room.free.bytes * 2 < reserve.bytes;
  const areInodesLow = room.total.inodes > 0 && room.free.inodes * 2 < reserve.inodes;
  if (!isLow && !areInodesLow) return null;
  const left = isLow ? formatBytes(room.free.bytes) : `${room.free.inodes} inodes`;
  const kept = isLow ? formatBytes(reserve.bytes) : `${reserve.inodes} inodes`;
  return new BusyError('DISK_FULL', {
    detail: `only ${left} are left, less than half of min_free (${kept})`,
  });
}

/** What a backup will still put on the disk, of what was promised to it, after so many bytes. */
export function stillToCome(need: Amount | null, bytesDone: number): Amount {
  if (!need || need.bytes === 0) return nothing;
  const left = Math.max(0, 1 - bytesDone / need.bytes);
  return { bytes: Math.round(need.bytes * left), inodes: Math.round(need.inodes * left) };
}

export function add(a: Amount, b: Amount): Amount {
  return { bytes: a.bytes + b.bytes, inodes: a.inodes + b.inodes };
}

function padded(bytes: number, entries: number): Amount {
  return { bytes: bytes + entries * blockBytes, inodes: entries };
}
