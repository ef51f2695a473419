/**
 * Runs and jobs: their states, the changes that are allowed, and the outcome that follows from what the jobs did.
 * Plain data and pure functions; only `control/run-lifecycle.ts` writes states.
 */
import type { ArchivingRecord } from './archive.js';
import type { Failure } from './errors.js';
import type { RestoreRecord } from './restore.js';
import type { DrillRecord } from './drill.js';
import type { BackupType, TransferStats } from './snapshot.js';
import type { VerificationRecord } from './verification.js';

/**
 * What kind of work a run is: it makes a snapshot, compares snapshots with their manifests, or a night's share of them,
 * turns snapshots into archives, reads archives back, brings files of a snapshot back, or restores a sample of one to see
 * whether that works.
 */
export const allRunKinds = [
  'backup',
  'verify',
  'scrub',
  'archive',
  'verify-archive',
  'restore',
  'drill',
] as const;
export type RunKind = (typeof allRunKinds)[number];

export type RunState =
  'QUEUED' | 'RUNNING' | 'CANCELLING' | 'SUCCEEDED' | 'PARTIAL' | 'FAILED' | 'CANCELLED' | 'INTERRUPTED';

export type JobState = 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'PARTIAL' | 'FAILED' | 'CANCELLED';
export type RequestedType = BackupType | 'auto';

/** States in which a run has not ended. */
export const activeStates: readonly RunState[] = ['QUEUED', 'RUNNING', 'CANCELLING'];

/** States in which it has. */
export const endStates = ['SUCCEEDED', 'PARTIAL', 'FAILED', 'CANCELLED', 'INTERRUPTED'] as const;

/** What a run may become. */
export type NextState = Exclude<RunState, 'QUEUED'>;

/** From which states a run may come into each state. */
export const statesBefore: Readonly<Record<NextState, readonly RunState[]>> = {
  RUNNING: ['QUEUED'],
  CANCELLING: ['RUNNING'],
  SUCCEEDED: ['RUNNING', 'CANCELLING'],
  PARTIAL: ['RUNNING', 'CANCELLING'],
  FAILED: ['QUEUED', 'RUNNING', 'CANCELLING'],
  CANCELLED: ['QUEUED', 'CANCELLING'],
  INTERRUPTED: ['RUNNING', 'CANCELLING'],
};

export interface MissingFile {
  /** Path on the host; bytes that are not printable UTF-8 stand as `\#ooo`. */
  readonly path: string;
  /** What rsync said of it. */
  readonly why: string;
}

/** One rsync call inside a backup. */
export interface JobRecord {
  /** From 1. */
  readonly number: number;
  readonly source: string;
  readonly state: JobState;
  /** Set in FAILED and PARTIAL. */
  readonly error: Failure | null;
  /** Null while it has not ended by itself. */
  readonly exitCode: number | null;
  readonly stats: TransferStats | null;
  /** The first `missingFilesKept` of them. */
  readonly missingFiles: readonly MissingFile[];
  readonly missingFileCount: number;
}

/** How many missing files of a job are kept in the database; snapshot.json has all. */
export const missingFilesKept = 200;

/**
 * What a run does at the moment: copies with rsync, writes the manifest of what was copied, compares with one, writes a
 * tarball, reads one back, restores, or compares what a drill has restored.
 */
export type RunPhase = 'copy' | 'manifest' | 'verify' | 'archive' | 'verify-archive' | 'restore' | 'drill';

/** How far a run is. Bytes are those of the files' contents. */
export interface Progress {
  readonly phase: RunPhase;
  readonly jobNumber: number;
  readonly jobCount: number;
  readonly jobsEnded: number;
  readonly bytesDone: number;
  readonly percent: number;
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | null;
  readonly filesTransferred: number;
  /** Entries that were looked at in this phase; 0 while it copies. */
  readonly entriesDone: number;
  readonly currentFile: string;
  /** rsync still lists the source, so totals will grow. */
  readonly isListing: boolean;
}

export interface RunRecord {
  readonly id: string;
  readonly kind: RunKind;
  readonly host: string;
  readonly state: RunState;
  readonly requestedType: RequestedType;
  /** Null until decided. */
  readonly type: BackupType | null;
  readonly typeReason: string;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /**
   * Name of the committed snapshot; of a verification, the one to verify, or null for all of the host; of a run that
   * archives, the one to archive, or null for all that are old enough; or what is
   * restored.
   */
  /** Name of the committed snapshot; of a verification, the one to verify, or null for all of the host; or what is restored. */
  /** Name of the committed snapshot; of a verification, the one to verify, or null for all of the host;
   * of a drill, the one that is restored, null before that is decided. */
  readonly snapshot: string | null;
  readonly error: Failure | null;
  readonly jobs: readonly JobRecord[];
  /** What a verification has found; null before its end, and for all else. */
  readonly verification: VerificationRecord | null;
  /** What a run that archives, or verifies archives, has done; null before its end, and for all else. */
  readonly archiving: ArchivingRecord | null;
  /** What a restore is to do, and at its end what it did; null for all else. */
  readonly restore: RestoreRecord | null;
  /** What a drill has found, and before its end its seed; null for all else. */
  readonly drill: DrillRecord | null;
  readonly requestId: string | null;
  /** The schedule asked for it: it may begin only while a window of the host is open. */
  readonly isScheduled: boolean;
  /** Whoever asked for it has said that the source may have changed as much as it has. */
  readonly acceptsChanges: boolean;
  /** Grows with every change of any run. */
  readonly revision: number;
}

/** A job that has not begun; `number` from 1. */
export function waitingJob(number: number, source: string): JobRecord {
  return {
    number,
    source,
    state: 'WAITING',
    error: null,
    exitCode: null,
    stats: null,
    missingFiles: [],
    missingFileCount: 0,
  };
}

export function isActive(state: RunState): boolean {
  return activeStates.includes(state);
}

/** Whether a backup with these jobs may be committed: every source directory was copied, in whole or in part. */
export function isCommittable(jobs: readonly JobRecord[]): boolean {
  return jobs.length > 0 && jobs.every((job) => job.state === 'SUCCEEDED' || job.state === 'PARTIAL');
}

/** The outcome of a committed backup. */
export function outcomeOfJobs(jobs: readonly JobRecord[]): 'SUCCEEDED' | 'PARTIAL' {
  return jobs.some((job) => job.state === 'PARTIAL') ? 'PARTIAL' : 'SUCCEEDED';
}
