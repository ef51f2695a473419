/** The part of the ports (`ports.ts`) that is about archives. */
import type { ArchiveRecord, ArchivingRecord } from './archive.js';
import type { Failure } from './errors.js';
import type { Host } from './host.js';
import type { ScriptSettings } from './settings.js';
import type { SnapshotRecord } from './snapshot.js';

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
