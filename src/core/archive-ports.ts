/** The part of the ports (`ports.ts`) that is about archives. */
import type { ArchiveRecord, ArchivingRecord } from './archive.js';
import type { Failure } from './errors.js';
import type { Host } from './host.js';
import type { ScriptSettings } from './settings.js';
import type { SnapshotRecord } from './snapshot.js';
import type { TrashEntry, TrashMark } from './trash.js';

export interface ArchiveFilter {
  readonly host?: string;
  /** Only of these hosts. */
  readonly hosts?: readonly string[];
  /** Only those that come after this one. */
  readonly after?: { readonly name: string; readonly host: string };
  readonly limit?: number;
}

export interface ArchiveStore {
  /** Adds or replaces, by host and name. */
  put(archive: ArchiveRecord): Promise<void>;
  remove(host: string, name: string): Promise<void>;
  get(host: string, name: string): Promise<ArchiveRecord | null>;
  /** Newest first (by name, then host). */
  list(filter: ArchiveFilter): Promise<ArchiveRecord[]>;
}

/** The archive directories. */
export interface ArchiveDisk {
  /**
   * Removes an archive and its copy, the tarball first, so that a crash leaves no archive. Answers what of it could not
   * be reached, in plain words, or null. Throws ARCHIVEDIR_UNUSABLE when the tarball is still there.
   */
  remove(archive: ArchiveRecord): Promise<string | null>;
  /** The archives of a host as its directory tells them. Throws ARCHIVEDIR_UNUSABLE. */
  list(archivedir: string, host: string): Promise<ArchiveRecord[]>;
}

/** Archives in the trash. What changes something throws ARCHIVEDIR_UNUSABLE or ARCHIVE_DISK_FULL. */
export interface ArchiveTrash {
  /** All that lie in an archive directory. Empty where there is nothing to read. Throws ARCHIVEDIR_UNUSABLE when its disk hangs. */
  list(archivedir: string): Promise<TrashEntry[]>;
  /** What the trash will have of an archive. */
  entryOf(archive: ArchiveRecord, mark: TrashMark): TrashEntry;
  /** Moves an archive and its copy there, the tarball in one step. */
  moveIn(archive: ArchiveRecord, entry: TrashEntry): Promise<ArchiveMove>;
  /** What the archive will be when it is back; null when it is there no more. Throws ARCHIVEDIR_UNUSABLE. */
  read(entry: TrashEntry): Promise<ArchiveRecord | null>;
  /** Moves it and its copy back. Throws TRASH_PLACE_TAKEN. */
  moveOut(entry: TrashEntry, archive: ArchiveRecord): Promise<ArchiveMove>;
  /** Removes it and its copy for good. */
  destroy(entry: TrashEntry, archive: ArchiveRecord): Promise<ArchiveMove>;
  /** Whether there is a file in this place. Throws ARCHIVEDIR_UNUSABLE. */
  isTaken(place: string): Promise<boolean>;
  /**
   * Removes what lies beside tarballs that are not in the trash, and copies whose disk was away when they had to go; to be
   * called while nothing of the host is moved. Throws ARCHIVEDIR_UNUSABLE.
   */
  tidy(archivedir: string, host: string): Promise<void>;
}

export interface ArchiveMove {
  /** Whether there was a tarball. */
  readonly wasThere: boolean;
  /** What of it could not be reached, in plain words, or null. */
  readonly left: string | null;
}

/** One snapshot to archive. Plain data. */
export interface ArchiveTask {
  readonly runId: string;
  readonly host: Host;
  readonly snapshot: SnapshotRecord;
  readonly scripts: ScriptSettings;
  /** The run's log file, to append to. */
  readonly logFile: string;
}

/** Archives of one host to read back. Plain data. */
export interface ArchivesTask {
  readonly runId: string;
  readonly host: Host;
  readonly archives: readonly ArchiveRecord[];
  /** The run's log file, to append to. */
  readonly logFile: string;
}

export interface ArchiveResult {
  /** What is known of each by now; empty when nothing was archived or verified. */
  readonly archives: readonly ArchiveRecord[];
  readonly done: Pick<ArchivingRecord, 'entries' | 'contentBytes' | 'archiveBytes'>;
  /** Why it did not end well, or null. */
  readonly error: Failure | null;
}
