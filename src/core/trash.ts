/**
 * The trash: what a call deleted stays in it for `trash_days`, so that neither a mistake nor a stolen token destroys a
 * backup at once. What the rules of the administrator remove (`keep`) does not come here. Pure, but for the ports.
 */
import { isHeld, parseSnapshotName, type SnapshotRecord } from './snapshot.js';

export type TrashKind = 'snapshot' | 'archive' | 'host';

/** Who moved something to the trash, and when. */
export interface TrashMark {
  /** A ULID of the time. */
  readonly id: string;
  readonly putAt: Date;
  /** Empty when it is not known any more. */
  readonly putBy: string;
}

export interface TrashEntry extends TrashMark {
  readonly kind: TrashKind;
  readonly host: string;
  /** The name of the snapshot; empty for a host. */
  readonly snapshot: string;
  /** Where it lies meanwhile, absolute; empty for a host. */
  readonly path: string;
}

/** What something in the trash is called by people, and what a confirmation repeats. */
export function wordFor({ host, snapshot }: Pick<TrashEntry, 'host' | 'snapshot'>): string {
  return snapshot === '' ? host : `${host}/${snapshot}`;
}

/** The confirmation for all that is in the trash. */
export const wordForAll = 'all';

const dayMs = 86_400_000;

/** When an entry is removed for good. */
export function goesAt({ putAt }: Pick<TrashMark, 'putAt'>, trashDays: number): Date {
  return new Date(putAt.getTime() + trashDays * dayMs);
}

const namePattern = /^\.trash-([0-7][0-9A-HJKMNP-TV-Z]{25})-(.+)$/;

/** The name of the directory of a snapshot in the trash, beside those of the snapshots. */
export function trashName(id: string, snapshot: string): string {
  return `.trash-${id}-${snapshot}`;
}

/** Id and snapshot of a directory in the trash, or null for any other name. */
export function parseTrashName(name: string): { id: string; snapshot: string } | null {
  const [, id = '', snapshot = ''] = namePattern.exec(name) ?? [];
  return parseSnapshotName(snapshot) === null ? null : { id, snapshot };
}

/**
 * Why a host should not be without a snapshot, to stand in a sentence; null for all others. `snapshots`: those that are
 * on the disk, newest first.
 */
export function whyPrecious(
  snapshots: readonly SnapshotRecord[],
  { name }: Pick<SnapshotRecord, 'name'>,
): string | null {
  const good = snapshots.filter((snapshot) => !isHeld(snapshot));
  const [newest] = snapshots;
  // While it is there nothing older is removed.
  if (newest?.name === name && isHeld(newest)) return 'a held snapshot';
  if (good[0]?.name === name) return 'the newest good snapshot';
  const whole = good.find(({ outcome }) => outcome === 'SUCCEEDED');
  return whole?.name === name ? 'the newest snapshot without missing files' : null;
}

/**
 * The directories of snapshots in the trash. What changes something throws BACKUPDIR_UNUSABLE, DISK_FULL or
 * BACKUPDIR_IN_USE.
 */
export interface TrashDisk {
  /** All in the directory of a host, in no order. Empty where there is nothing to read; never throws. */
  list(directory: string): Promise<TrashEntry[]>;
  /** Writes beside the snapshot who moves it and when; that stands for nothing before `moveIn`. */
  note(snapshot: SnapshotRecord, mark: TrashMark): Promise<TrashEntry>;
  /** Moves a snapshot there, in one step. */
  moveIn(snapshot: SnapshotRecord, entry: TrashEntry): Promise<void>;
  /**
   * What the snapshot will be when it is back; null when it does not say so any more. `srcdirs` are those of its host
   * now. Never throws.
   */
  read(entry: TrashEntry, srcdirs: readonly string[]): Promise<SnapshotRecord | null>;
  /** Moves a snapshot back, in one step. Throws TRASH_PLACE_TAKEN or TRASH_ENTRY_NOT_FOUND. */
  moveOut(entry: TrashEntry): Promise<void>;
  /** Takes an entry out of the trash for good, in one step; its space is freed by a sweep. Throws TRASH_ENTRY_NOT_FOUND. */
  takeOut(entry: TrashEntry): Promise<void>;
  /** Whether there is anything of the trash, be it only a note. Never throws. */
  hasTraces(directory: string): Promise<boolean>;
  /** Removes notes of what is not in the trash; to be called while nothing is moved. */
  tidy(directory: string): Promise<void>;
}
