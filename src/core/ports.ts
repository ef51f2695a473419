/**
 * What the rules and the control plane need from the world. Each port has one real implementation and may have a
 * fake in tests; nothing in `core` or `control` knows files, processes, sockets or databases.
 */
import type { Host } from './host.js';
import type { RunKind, RunRecord, RunState } from './run.js';
import type { SnapshotRecord } from './snapshot.js';
import type { DiskRoom, Leftovers } from './space.js';
import type { HostTrash, StoredHost } from './stored-host.js';

export interface Clock {
  now(): Date;
}

/** Changes that a write may make to a run, besides its state and revision. */
export type RunChanges = Partial<
  Pick<
    RunRecord,
    | 'type'
    | 'typeReason'
    | 'startedAt'
    | 'endedAt'
    | 'snapshot'
    | 'error'
    | 'jobs'
    | 'verification'
    | 'archiving'
    | 'restore'
    | 'drill'
  >
>;

export interface RunFilter {
  readonly host?: string;
  /** Only runs of these hosts. */
  readonly hosts?: readonly string[];
  readonly kind?: RunKind;
  readonly states?: readonly RunState[];
  /** Only runs whose id sorts before this one (older). */
  readonly beforeId?: string;
  /** Only runs with a greater revision. */
  readonly afterRevision?: number;
  /** Only runs of this daemon; all are, where it shares its database with no other. */
  readonly isOurs?: true;
  readonly limit?: number;
}

export interface RunStore {
  /** Adds a run. Throws when the id or the request id exists. */
  add(run: RunRecord): Promise<void>;
  /** Takes out a run that waits, as if it had never been asked for; any other is left as it is. */
  withdraw(id: string): Promise<void>;
  get(id: string): Promise<RunRecord | null>;
  getByRequestId(requestId: string): Promise<RunRecord | null>;
  /** Newest first. */
  list(filter: RunFilter): Promise<RunRecord[]>;
  /** The newest run of a kind of each host, or the newest in this state. */
  newestOfEachHost(kind: RunKind, state?: RunState): Promise<RunRecord[]>;
  /**
   * Moves a run to `to` if it is in one of `from`, with the given changes, in one statement.
   * Answers whether it did; a late writer thus never revives a run that has ended.
   */
  move(
    id: string,
    from: readonly RunState[],
    to: RunState,
    revision: number,
    changes: RunChanges,
  ): Promise<boolean>;
  highestRevision(): Promise<number>;
  /** The hosts, configured or not, that have runs whose id sorts before this one. */
  hostsBefore(id: string): Promise<string[]>;
  /** Those of these ids that there are runs of. */
  known(ids: readonly string[]): Promise<string[]>;
  /** Removes runs that have ended; any other is left as it is. */
  remove(ids: readonly string[]): Promise<void>;
}

export interface SnapshotStore {
  /** Adds or replaces, by host and name. */
  put(snapshot: SnapshotRecord): Promise<void>;
  remove(host: string, name: string): Promise<void>;
  /** All of one host, or of all hosts; newest first (by name, then host). */
  list(host?: string): Promise<SnapshotRecord[]>;
  /** Settles when all that was put and removed is in the database. Throws DATABASE_UNAVAILABLE. */
  settled(): Promise<void>;
}

/** The hosts that are kept in the database. Every write names the etag that it expects to find. */
export interface HostStore extends HostTrash {
  /** Sorted by name. */
  list(): Promise<StoredHost[]>;
  get(name: string): Promise<StoredHost | null>;
  /** Throws when the name exists. */
  add(host: StoredHost): Promise<void>;
  /** Replaces settings, etag and `updatedAt` of a host if it still has `etag`; answers whether it had. */
  replace(host: StoredHost, etag: string): Promise<boolean>;
}

/** Where a snapshot of the records is: `taken out` by a removal, or into the trash, that did not come to its end. */
export type SnapshotPlace = 'present' | 'taken out' | 'absent';

/** The directories of committed snapshots, as far as their removal goes. */
export interface SnapshotDisk {
  /** Looks where each of them is, with one look at each directory that holds some. Never throws. */
  locate(snapshots: readonly SnapshotRecord[]): Promise<ReadonlyMap<SnapshotRecord, SnapshotPlace>>;
  /**
   * Takes a snapshot's directory out of the store in one step, so that a crash leaves either all or nothing of it.
   * Throws BACKUPDIR_UNUSABLE or BACKUPDIR_IN_USE.
   */
  takeOut(snapshot: SnapshotRecord): Promise<void>;
  /**
   * Writes beside the data of a held snapshot that it is held no more, in one step and flushed to the disk. Throws
   * BACKUPDIR_UNUSABLE or BACKUPDIR_IN_USE.
   */
  release(snapshot: SnapshotRecord, at: Date): Promise<void>;
  /**
   * Frees the space of all that was taken out of the directory that holds this, or held it. Ends early when
   * `signal` is aborted. Answers whether nothing is left; never throws.
   */
  sweepBeside(snapshot: Pick<SnapshotRecord, 'path'>, signal: AbortSignal): Promise<boolean>;
}

/** What is free on the disks of backups, and what lies there besides snapshots. */
export interface SpaceDisk {
  /** What the file system below a directory has; null when it cannot be read. */
  roomOf(directory: string): Promise<DiskRoom | null>;
  /** The directories of a host that are no snapshots. Never throws. */
  leftovers(host: Host): Promise<Leftovers>;
}

/** Some whole lines of a log. */
export interface LogChunk {
  readonly lines: readonly string[];
  /** Where the next line begins. */
  readonly nextOffset: number;
}

/** The append-only log files of runs. Each line begins with its time (RFC 3339, UTC). */
export interface RunLogs {
  /** The file, absolute. */
  path(runId: string): string;
  /** Appends one line; line breaks and control characters in it are escaped. */
  append(runId: string, text: string): Promise<void>;
  /**
   * Reads whole lines from a byte offset on, at most about 64 KiB. With `isFinal` (the run has ended) a last line
   * without line end is answered too. No lines: the end is reached. Throws OFFSET_OUT_OF_RANGE.
   */
  read(runId: string, offset: number, isFinal: boolean): Promise<LogChunk>;
  /** The runs that have a log here, in any order. */
  ids(): Promise<string[]>;
  /** Removes a log, if there is one. */
  remove(runId: string): Promise<void>;
}
