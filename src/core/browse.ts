/** Looking into snapshots and archives: what is asked of the disk, and what it answers. Plain data. */
import type { BytePath } from './byte-path.js';
import type { FileEntry } from './file-entry.js';
import type { Host } from './host.js';
import type { EntryType } from './manifest.js';
import type { SnapshotRecord } from './snapshot.js';
import type { ChangeKind } from './tree-difference.js';

/** Where the files of a snapshot can be looked at. */
export interface BrowseSource {
  readonly host: string;
  readonly snapshot: string;
  /** Its directory; null when its files are in an archive only. */
  readonly directory: string | null;
  /** The file of its manifest; null when it has none. */
  readonly manifest: string | null;
}

/** A snapshot, wherever its files are. */
export interface FoundSnapshot {
  readonly record: SnapshotRecord;
  readonly isArchived: boolean;
  readonly source: BrowseSource;
}

/** Says where the files of snapshots can be looked at. */
export interface BrowsePlaces {
  ofSnapshot(record: SnapshotRecord): FoundSnapshot;
  /**
   * The archives of a host, newest first; none when their directory cannot be read. Throws ARCHIVEDIR_UNUSABLE when its
   * disk does not answer in time.
   */
  archivesOf(host: Host): Promise<readonly FoundSnapshot[]>;
  /** Null when there is none. Throws ARCHIVEDIR_UNUSABLE as `archivesOf`. */
  archiveOf(host: Host, name: string): Promise<FoundSnapshot | null>;
}

export interface ListTask {
  readonly source: BrowseSource;
  readonly path: BytePath;
  /** Only names that sort after this one. */
  readonly after: BytePath | null;
  readonly limit: number;
}

export interface FindTask {
  readonly sources: readonly BrowseSource[];
  /** As `core/file-pattern.ts` reads it. */
  readonly pattern: string;
  /** Of these types only; empty: of any. */
  readonly types: readonly EntryType[];
}

/** `source` is the place in the list of the task. */
export type FindStep =
  | { readonly kind: 'found'; readonly source: number; readonly entry: FileEntry }
  /** So many entries have been looked at. */
  | { readonly kind: 'progress'; readonly source: number; readonly entries: number }
  | { readonly kind: 'skipped'; readonly source: number; readonly message: string };

export interface HistoryTask {
  /** Oldest first. */
  readonly sources: readonly BrowseSource[];
  readonly path: BytePath;
}

/** How a path is in a snapshot, against the one before. */
export type SightingKind = 'absent' | 'first' | 'same' | 'changed' | 'gone' | 'unknown';

export interface Sighting {
  readonly source: number;
  readonly kind: SightingKind;
  /** What is there; null for absent, gone and unknown. */
  readonly entry: FileEntry | null;
  /** Of a changed one. */
  readonly changes: readonly ChangeKind[];
  /** Why it is unknown. */
  readonly message: string;
}

export interface DiffTask {
  readonly before: BrowseSource;
  readonly after: BrowseSource;
  /** Only this and what is below it. */
  readonly path: BytePath;
}

export interface EntryDifference {
  readonly kind: 'added' | 'removed' | 'changed';
  /** Null for an added one. */
  readonly before: FileEntry | null;
  /** Null for a removed one. */
  readonly after: FileEntry | null;
  /** Of a changed one. */
  readonly changes: readonly ChangeKind[];
}

/** Bytes are those of regular files. */
export interface DiffSummary {
  readonly added: { readonly entries: number; readonly bytes: number };
  readonly removed: { readonly entries: number; readonly bytes: number };
  /** Content, type or target. */
  readonly contentChanged: {
    readonly entries: number;
    readonly bytesBefore: number;
    readonly bytesAfter: number;
  };
  readonly metadataChanged: { readonly entries: number };
  readonly unchanged: { readonly entries: number };
}

export type DiffStep =
  | { readonly kind: 'difference'; readonly difference: EntryDifference }
  | { readonly kind: 'progress'; readonly entries: number }
  | { readonly kind: 'summary'; readonly summary: DiffSummary };

/** Each kind of look, what it needs, and what it answers step by step. */
export interface BrowseWorks {
  readonly list: { readonly task: ListTask; readonly step: FileEntry };
  readonly find: { readonly task: FindTask; readonly step: FindStep };
  readonly history: { readonly task: HistoryTask; readonly step: Sighting };
  readonly diff: { readonly task: DiffTask; readonly step: DiffStep };
}

export type BrowseKind = keyof BrowseWorks;

/**
 * Looks at the disk apart from the event loop, at the pace of whoever takes the steps, in bounded memory. Ends soon
 * after the loop is left or `signal` is aborted. Throws PATH_REFUSED, PATH_NOT_FOUND, PATH_UNREADABLE,
 * SNAPSHOT_REMOVED, ARCHIVE_UNLISTED.
 */
export type Browse = <K extends BrowseKind>(
  kind: K,
  task: BrowseWorks[K]['task'],
  signal: AbortSignal,
) => AsyncGenerator<readonly BrowseWorks[K]['step'][]>;
