/** Why a host is due or not: what the rules of `due.ts` found, as data. The words for it are in `due-sentences.ts`. */
import type { SnapshotRecord } from './snapshot.js';

export type DueReason =
  /** They were made while the clock was wrong. */
  | { readonly kind: 'snapshots ahead'; readonly count: number }
  | { readonly kind: 'no schedule' | 'by hand' | 'no slot yet' }
  /** The newest time of the schedule; not yes: too long ago to be caught up. */
  | { readonly kind: 'slot'; readonly at: Date; readonly isYes: boolean }
  | { readonly kind: 'no snapshot' }
  | { readonly kind: 'slot is served'; readonly snapshot: SnapshotRecord }
  | ({ readonly kind: 'age at slot'; readonly from: Date } & AgeOfYoungest)
  | ({ readonly kind: 'age now' } & AgeOfYoungest)
  | { readonly kind: 'cancelled' }
  | {
      readonly kind: 'failed';
      /** How many runs, one after the other. */
      readonly times: number;
      /** The reason of the last one's error; null when it has none. */
      readonly cause: string | null;
      readonly again: Date;
      readonly isYes: boolean;
    }
  | { readonly kind: 'window open' }
  | { readonly kind: 'window closed'; readonly opensAt: Date | null };

interface AgeOfYoungest {
  readonly snapshot: SnapshotRecord;
  readonly ageMs: number;
  /** From this age on a backup is due. */
  readonly wantedMs: number;
  readonly isYes: boolean;
}
