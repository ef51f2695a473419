/**
 * Snapshots: what one is, and its name. A name is the local time at which the backup started and a letter for the
 * type, `2026-11-22_20-00-05f`, as the original BUSY named them; names of one host therefore sort by age.
 */
import type { ManifestTotals } from './manifest.js';

export type BackupType = 'full' | 'incremental';

/** What rsync counted. */
export interface TransferStats {
  /** Entries in the source: files, directories, links and all else. */
  readonly fileCount: number;
  /** Regular files that were sent. */
  readonly filesTransferred: number;
  /** Entries that are new against the link bases. */
  readonly filesCreated: number;
  readonly totalBytes: number;
  readonly transferredBytes: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Regular files in the source; 0 also when the rsync of the host is too old to say. */
  readonly regularFiles: number;
  /** Regular files that take space of their own: sent by the host, or copied here since only attributes differ. */
  readonly copiedFiles: number;
  readonly copiedBytes: number;
  /** Of the copied ones those whose size is as before, so that only owner, mode, time or the like differ. */
  readonly attributeChangedFiles: number;
  /** Regular files that are links into a link base. */
  readonly linkedFiles: number;
  readonly linkedBytes: number;
}

export type HoldCode = 'EMPTY_SOURCE' | 'SHRUNK' | 'MASS_CHANGE';

/** Why the source gate (`core/source-gate.ts`) holds a snapshot. */
export interface HoldReason {
  readonly code: HoldCode;
  /** The source directory; empty: all of them together. */
  readonly source: string;
  /** One plain sentence with the figures, without a full stop. */
  readonly message: string;
}

export interface SnapshotRecord {
  readonly host: string;
  readonly name: string;
  readonly type: BackupType;
  readonly outcome: 'SUCCEEDED' | 'PARTIAL';
  /** Absolute directory; the files are below its `data`. */
  readonly path: string;
  readonly startedAt: Date;
  readonly committedAt: Date;
  readonly runId: string;
  /** Names of the snapshots that unchanged files are links to. */
  readonly linkBases: readonly string[];
  readonly sources: readonly string[];
  readonly stats: TransferStats;
  readonly missingFileCount: number;
  /** Why the source gate holds it; empty for a good snapshot. */
  readonly heldFor: readonly HoldReason[];
  /** What its manifest counts; null when it has none, so that nothing can be compared with it. */
  readonly manifest: ManifestTotals | null;
  /** Every byte of it has been read and compared since then; null before the first time. */
  readonly verifiedAt: Date | null;
  /** Files of it that are known to be damaged or missing. */
  readonly damagedFileCount: number;
}

/** Whether the source gate holds it. Such a one is no link base, stands for nothing in retention, and is no measure. */
export function isHeld({ heldFor }: Pick<SnapshotRecord, 'heldFor'>): boolean {
  return heldFor.length > 0;
}

/** What stands for a host, of its snapshots (newest first): the newest good one, and the newest of all if it is held. */
export function newestOf(snapshots: readonly SnapshotRecord[]): {
  good: SnapshotRecord | undefined;
  held: SnapshotRecord | undefined;
} {
  const [newest] = snapshots;
  const isHeldNow = newest !== undefined && isHeld(newest);
  return {
    good: snapshots.find((snapshot) => !isHeld(snapshot)),
    held: isHeldNow ? newest : undefined,
  };
}

/**
 * The one that is meant where none is named, of a host's snapshots (newest first): the newest, or the newest that was
 * started by `asOf`, to the second, as names tell it. A held one is passed over as long as there is another.
 */
export function newestAsOf(
  snapshots: readonly SnapshotRecord[],
  asOf: Date | null,
): SnapshotRecord | undefined {
  const isInTime = ({ startedAt }: SnapshotRecord): boolean =>
    asOf === null || Math.floor(startedAt.getTime() / 1000) * 1000 <= asOf.getTime();
  const candidates = snapshots.filter(isInTime);
  return candidates.find((snapshot) => !isHeld(snapshot)) ?? candidates[0];
}

const namePattern = /^(\d{4})-(\d{2})-(\d{2})_(\d{2})-(\d{2})-(\d{2})([fi])$/;

/** The name of a snapshot that starts now, in the server's time zone. */
export function snapshotName(startedAt: Date, type: BackupType): string {
  const day = `${startedAt.getFullYear()}-${two(startedAt.getMonth() + 1)}-${two(startedAt.getDate())}`;
  const time = `${two(startedAt.getHours())}-${two(startedAt.getMinutes())}-${two(startedAt.getSeconds())}`;
  return `${day}_${time}${type === 'full' ? 'f' : 'i'}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Type and start of a snapshot by its name, or null when the name is not one. */
export function parseSnapshotName(name: string): { type: BackupType; startedAt: Date } | null {
  const match = namePattern.exec(name);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const startedAt = new Date(year, month - 1, day, hour, minute, second);
  return { type: match[7] === 'f' ? 'full' : 'incremental', startedAt };
}

export const noTransfer: TransferStats = {
  fileCount: 0,
  filesTransferred: 0,
  filesCreated: 0,
  totalBytes: 0,
  transferredBytes: 0,
  receivedBytes: 0,
  sentBytes: 0,
  regularFiles: 0,
  copiedFiles: 0,
  copiedBytes: 0,
  attributeChangedFiles: 0,
  linkedFiles: 0,
  linkedBytes: 0,
};

export function addStats(a: TransferStats, b: TransferStats): TransferStats {
  const names = Object.keys(noTransfer) as (keyof TransferStats)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as unknown as TransferStats;
}

const clockFaultMs = 24 * 60 * 60 * 1000;

/**
 * Those that say something about time: one that lies more than a day ahead was made while the clock was wrong, and
 * would otherwise stand for backups that are due until that day.
 */
export function believable(snapshots: readonly SnapshotRecord[], now: Date): readonly SnapshotRecord[] {
  const latest = now.getTime() + clockFaultMs;
  if (latestStartOf(snapshots) <= latest) return snapshots;
  return snapshots.filter(({ startedAt }) => startedAt.getTime() <= latest);
}

/** Lists are never changed, but replaced, and the same ones are asked about again and again. */
const latestStarts = new WeakMap<readonly SnapshotRecord[], number>();

function latestStartOf(snapshots: readonly SnapshotRecord[]): number {
  const known = latestStarts.get(snapshots);
  if (known !== undefined) return known;
  const latest = snapshots.reduce((most, { startedAt }) => Math.max(most, startedAt.getTime()), -Infinity);
  latestStarts.set(snapshots, latest);
  return latest;
}

/** A record as it is after a way through JSON, which knows no times. */
export type AsJson<T> = { [K in keyof T]: T[K] extends Date | null ? string | null : T[K] };

/** A snapshot that has been JSON. */
export function reviveSnapshot(json: AsJson<SnapshotRecord>): SnapshotRecord {
  return {
    ...json,
    startedAt: new Date(json.startedAt ?? 0),
    committedAt: new Date(json.committedAt ?? 0),
    verifiedAt: json.verifiedAt === null ? null : new Date(json.verifiedAt),
    stats: { ...noTransfer, ...json.stats },
  };
}
