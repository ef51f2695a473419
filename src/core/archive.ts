/** Archives: a snapshot turned into one compressed tarball. Plain data. */
import type { ManifestTotals } from './manifest.js';
import type { SnapshotRecord } from './snapshot.js';

export const archiveFormats = ['tar.gz', 'tar.zst'] as const;
export type ArchiveFormat = (typeof archiveFormats)[number];

export interface ArchiveRecord {
  readonly host: string;
  /** The name of the snapshot, which stays the name of what was in it. */
  readonly name: string;
  readonly format: ArchiveFormat;
  /** The tarball, absolute. */
  readonly path: string;
  /** Its size. */
  readonly bytes: number;
  /** Of the tarball, in hex; empty for one of the original BUSY. */
  readonly sha256: string;
  readonly archivedAt: Date;
  /** The run that made it; empty for one of the original BUSY. */
  readonly runId: string;
  /** The snapshot as it was; there need not be anything at its path any more. */
  readonly snapshot: SnapshotRecord;
  /**
   * What the paths of its manifest begin at: the directory `data` of the snapshot, or the snapshot itself where it was
   * one of the original BUSY.
   */
  readonly manifestRoot: 'data' | 'snapshot';
  /** What its manifest counts; null when it has none. */
  readonly manifest: ManifestTotals | null;
  /** When it was last read in full and found whole; null before the first time. */
  readonly verifiedAt: Date | null;
  /** What the last verification found wrong, one plain sentence without a full stop; empty when nothing. */
  readonly damage: string;
  /** The tarball in the second place, absolute; empty when there is none. */
  readonly copyPath: string;
}

/** What a run that archives, or verifies archives, has done. Plain data. */
export interface ArchivingRecord {
  /** The snapshots that were archived, oldest first; or the archives that were verified. */
  readonly archived: readonly string[];
  /** Those of the archived ones that were then removed from the backup disk. */
  readonly removed: readonly string[];
  /** Archives that `archive_keep` had removed. */
  readonly expired: readonly string[];
  /** Entries that were read back and compared. */
  readonly entries: number;
  /** The bytes of their contents. */
  readonly contentBytes: number;
  /** The size of the tarballs. */
  readonly archiveBytes: number;
}

export const nothingArchived: ArchivingRecord = {
  archived: [],
  removed: [],
  expired: [],
  entries: 0,
  contentBytes: 0,
  archiveBytes: 0,
};
