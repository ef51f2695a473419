/** The port to the executors: what they are given to carry out, and what comes of it. All of it is plain data. */
import type { ArchiveResult, ArchiveTask, ArchivesTask } from './archive-ports.js';
import type { DrillRecord } from './drill.js';
import type { HostCheck } from './enrollment.js';
import type { BusyError, Failure } from './errors.js';
import type { Host } from './host.js';
import type { RestoreRecord, RestoreWish } from './restore.js';
import type { JobRecord, Progress } from './run.js';
import type { ScriptSettings } from './settings.js';
import type { BackupType, SnapshotRecord } from './snapshot.js';
import type { DiskUsage } from './space.js';
import type { VerificationRecord, VerifiedSnapshot } from './verification.js';

/** One backup to carry out. Plain data. */
export interface BackupTask {
  readonly runId: string;
  readonly host: Host;
  readonly type: BackupType;
  readonly scripts: ScriptSettings;
  /** Neither end the backup nor hold its snapshot for how much the source has changed. */
  readonly acceptsChanges: boolean;
  /** Files and directories of this server that a backup of itself leaves out. */
  readonly secretPlaces: readonly string[];
  /** The run's log file, to append to. */
  readonly logFile: string;
}

export interface BackupResult {
  readonly jobs: readonly JobRecord[];
  /** The type that was made: an incremental without any base becomes a full one. */
  readonly type: BackupType;
  /** The committed snapshot, or null. */
  readonly snapshot: SnapshotRecord | null;
  /** Why nothing was committed, or null. */
  readonly error: Failure | null;
}

/** What a run tells while it runs. */
export interface RunEventsTaker {
  onProgress(progress: Progress): void;
  /** The log file has grown. */
  onLog(): void;
}

export interface BackupEvents extends RunEventsTaker {
  onJobs(jobs: readonly JobRecord[]): void;
  /**
   * The disk is there and nothing was begun: asks whether there is room for a backup of this type. Answers why there is
   * none. May take long, since what need not be kept is removed first. Never throws.
   */
  askForRoom(type: BackupType): Promise<BusyError | null>;
  /**
   * post-backup is about to be called, which may unmount the disk. Records what was committed, removes there what is
   * to be removed, and settles when nothing works there any more. Never throws.
   */
  beforePostBackup(snapshot: SnapshotRecord | null): Promise<void>;
}

export interface ProbeResult {
  readonly address: string;
  readonly hostKeyFingerprint: string;
  /** Empty when the key does not allow the command. */
  readonly hostname: string;
  /** Empty when the key does not allow the command. */
  readonly rsyncVersion: string;
  readonly sshSoftware: string;
}

/** Snapshots of one host to compare with their manifests. Plain data. */
export interface VerifyTask {
  readonly runId: string;
  readonly host: Host;
  /** Oldest first. */
  readonly snapshots: readonly string[];
  /** Only the share of one night is read; else all, and what there should not be is found too. */
  readonly isScrub: boolean;
  /** The run's log file, to append to. */
  readonly logFile: string;
}

export interface VerifyResult {
  /** Null when nothing was compared. */
  readonly verification: VerificationRecord | null;
  /** What is known by now of the snapshots of the host. */
  readonly verified: readonly VerifiedSnapshot[];
  /** Why it did not end well, or null. */
  readonly error: Failure | null;
}

/** A snapshot that is restored from. */
export type RestoreSource = Pick<SnapshotRecord, 'path' | 'sources' | 'outcome' | 'heldFor'>;

/** What a restore reads and where it writes. Plain data. */
export interface RestoreTask {
  readonly runId: string;
  /** The host that the snapshot is of, as it is configured now. */
  readonly host: Host;
  /** The name of the snapshot. */
  readonly snapshot: string;
  /** Null when the snapshot is gone: then its archive is looked for. */
  readonly stored: RestoreSource | null;
  readonly wish: RestoreWish;
  /** The host that is written to; null: the server. */
  readonly target: Host | null;
  /** Absolute directories of the server that no restore may write into. */
  readonly own: readonly string[];
  /** The run's log file, to append to. */
  readonly logFile: string;
}

export interface RestoreResult extends Pick<RestoreRecord, 'from' | 'counts' | 'changes' | 'changeCount'> {
  /** Why it did not end well, or null. */
  readonly error: Failure | null;
}

/** A restore to try. Plain data. */
export interface DrillTask {
  readonly runId: string;
  readonly host: Host;
  readonly snapshot: SnapshotRecord;
  /** Its files are in its archive only. */
  readonly isArchived: boolean;
  /** Has the seed. */
  readonly drill: DrillRecord;
  /** The run's log file, to append to. */
  readonly logFile: string;
}

export interface DrillResult {
  readonly drill: DrillRecord;
  /** Why it did not end well, or null. */
  readonly error: Failure | null;
}

/** How far a measurement is. */
export interface MeasureProgress {
  readonly groupsDone: number;
  /** Entries that were looked at, of all groups. */
  readonly entries: number;
}

/** Carries work out in processes of its own. */
export interface Executor {
  /**
   * Carries a backup out. A backup that fails or is cancelled is a result, not an exception; after `signal` it
   * ends within seconds with the reason CANCELLED, or when the commands and scripts that follow a backup have ended.
   */
  backUp(task: BackupTask, events: BackupEvents, signal: AbortSignal): Promise<BackupResult>;
  /**
   * Compares snapshots with their manifests. What is found, a failure and a cancel are results, not exceptions; after
   * `signal` it ends within seconds.
   */
  verify(task: VerifyTask, events: RunEventsTaker, signal: AbortSignal): Promise<VerifyResult>;
  /**
   * Writes a snapshot into an archive, which then is whole, verified and flushed; the snapshot is left. A failure and a
   * cancel are results, not exceptions; after `signal` it ends within seconds, or when post-archive has ended.
   */
  archive(task: ArchiveTask, events: RunEventsTaker, signal: AbortSignal): Promise<ArchiveResult>;
  /** Reads archives back in full. What is found, a failure and a cancel are results, not exceptions. */
  verifyArchives(task: ArchivesTask, events: RunEventsTaker, signal: AbortSignal): Promise<ArchiveResult>;
  /**
   * Restores. A failure and a cancel are results, not exceptions; after `signal` it ends within seconds.
   */
  restore(task: RestoreTask, events: RunEventsTaker, signal: AbortSignal): Promise<RestoreResult>;
  /**
   * Restores a sample into a scratch directory and compares it. What is found, a failure and a cancel are results, not
   * exceptions; after `signal` it ends within seconds, but for the removal of what was restored.
   */
  drill(task: DrillTask, events: RunEventsTaker, signal: AbortSignal): Promise<DrillResult>;
  /** Connects and asks. Throws a BusyError. */
  probe(host: Host): Promise<ProbeResult>;
  /** Logs in and looks at what a backup needs; throws a BusyError when it does not come so far. */
  check(host: Host): Promise<HostCheck>;
  /**
   * Says of each group of directories (all of one group on one file system) what they take up together; null for one
   * that is gone. Takes long. Throws CANCELLED, EXECUTOR_DIED or BACKUPDIR_UNUSABLE.
   */
  measure(
    groups: readonly (readonly string[])[],
    onProgress: (progress: MeasureProgress) => void,
    signal: AbortSignal,
  ): Promise<readonly (DiskUsage | null)[]>;
  /** Executor processes that are alive. */
  processCount(): number;
  /** Ends all executors; runs that are still carried out end as CANCELLED. */
  stop(): Promise<void>;
}
