/** What a run that verifies snapshots has found. Plain data. */
import type { DifferenceKind } from './manifest.js';

/** How many differences are kept with a run; its log has more of them. */
export const differencesKept = 1000;

/** A snapshot of which a verification has found out something. */
export interface VerifiedSnapshot {
  readonly name: string;
  readonly verifiedAt: Date | null;
  readonly damagedFileCount: number;
}

/** A difference between a snapshot and its manifest, for people. */
export interface FoundDifference {
  readonly snapshot: string;
  readonly kind: DifferenceKind;
  /** The path on the host. Bytes that are not printable UTF-8 stand as `\#ooo`. */
  readonly path: string;
  /** What was expected and what was found; plain words. */
  readonly detail: string;
}

export interface VerificationRecord {
  /** The snapshots that were compared, oldest first. */
  readonly snapshots: readonly string[];
  /** Those that could not be, since they have no manifest. */
  readonly unverifiable: readonly string[];
  /** Entries that were compared, of all snapshots together. */
  readonly entries: number;
  /** Files whose content was read, and their bytes; what several snapshots share is read once. */
  readonly filesRead: number;
  readonly bytesRead: number;
  /** The first `differencesKept` of them. */
  readonly differences: readonly FoundDifference[];
  readonly differenceCount: number;
  /** Files that are damaged or missing; one that several snapshots share counts in each. */
  readonly damagedFileCount: number;
}
