/** Restores: what is to come back, where to, and what became of it. Plain data and pure rules. */
import { showPath, type BytePath } from './byte-path.js';

/**
 * What becomes of entries that are there already: they stay; they stay where they are newer; what differs is replaced;
 * or that, and what the snapshot does not have is deleted.
 */
export type RestoreMode = 'never-overwrite' | 'newer-only' | 'overwrite' | 'mirror';

/** The place of each path on the host that it came from, a directory of a host, or one of the server. */
export type RestoreTarget =
  | { readonly kind: 'original' }
  | { readonly kind: 'host'; readonly host: string; readonly directory: string }
  | { readonly kind: 'local'; readonly directory: string };

export interface RestoreWish {
  /** Absolute on the host. */
  readonly paths: readonly BytePath[];
  readonly target: RestoreTarget;
  readonly mode: RestoreMode;
  /** Only say what would be done. */
  readonly isDryRun: boolean;
}

export type RestoreChangeKind = 'created' | 'changed' | 'deleted';

/** One entry that a restore has written or removed, or would. */
export interface RestoreChange {
  readonly kind: RestoreChangeKind;
  /** Below the target (of an original place: below `/`), as `showPath` shows it. */
  readonly path: string;
  /** Of its content; of a directory or link what the file system says. */
  readonly bytes: number;
}

export interface RestoreCounts {
  readonly created: number;
  readonly changed: number;
  readonly deleted: number;
  /** Entries that were left as they were, since they are equal or the mode says so. */
  readonly skipped: number;
  /** The contents of the files that were written. */
  readonly bytes: number;
}

export interface RestoreRecord extends RestoreWish {
  /** Where it was read from. */
  readonly from: 'snapshot' | 'archive';
  /** Null before its end. */
  readonly counts: RestoreCounts | null;
  /** The first `changesKept` of them. */
  readonly changes: readonly RestoreChange[];
  readonly changeCount: number;
}

/** How many changes are kept with a run; its log has all. */
export const changesKept = 1000;

export const noChanges: RestoreCounts = { created: 0, changed: 0, deleted: 0, skipped: 0, bytes: 0 };

export function newRestore(wish: RestoreWish): RestoreRecord {
  return { ...wish, from: 'snapshot', counts: null, changes: [], changeCount: 0 };
}

/** The host that is written to; null when the server is. */
export function hostOfTarget(target: RestoreTarget, snapshotHost: string): string | null {
  if (target.kind === 'local') return null;
  return target.kind === 'host' ? target.host : snapshotHost;
}

/** The target in one word, which is also what confirms a mirror. */
export function targetWord(target: RestoreTarget, snapshotHost: string): string {
  if (target.kind === 'local') return target.directory;
  return target.kind === 'host' ? `${target.host}:${target.directory}` : `${snapshotHost}:/`;
}

/** What a restore is, for its log. */
export function describeRestore(
  { paths, target, mode, isDryRun }: RestoreWish,
  snapshotHost: string,
): string {
  const shown = paths.slice(0, 5).map(showPath).join(', ');
  const more = paths.length > 5 ? ` and ${paths.length - 5} more` : '';
  const where =
    target.kind === 'original'
      ? `to ${snapshotHost}, each to its own place`
      : `to ${targetWord(target, snapshotHost)}`;
  return `${isDryRun ? 'dry run of a restore' : 'restore'} of ${shown}${more} ${where} (${mode})`;
}
