/** What the daemon and an executor process say to each other. Plain data; dates survive the serialization used. */
import type { HostCheck } from '../core/enrollment.js';
import type { Facts, Reason } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { ArchiveResult, ArchiveTask, ArchivesTask } from '../core/archive-ports.js';
import type {
  BackupResult,
  BackupTask,
  DrillResult,
  DrillTask,
  MeasureProgress,
  ProbeResult,
  RestoreResult,
  RestoreTask,
  VerifyResult,
  VerifyTask,
} from '../core/executor-port.js';
import type { JobRecord, Progress } from '../core/run.js';
import type { BackupType, SnapshotRecord } from '../core/snapshot.js';
import type { DiskUsage } from '../core/space.js';
import type { LockHolder } from './backupdir-lock.js';

export type Command =
  | { readonly kind: 'backUp'; readonly id: number; readonly task: BackupTask; readonly holder: LockHolder }
  | { readonly kind: 'verify'; readonly id: number; readonly task: VerifyTask }
  | { readonly kind: 'archive'; readonly id: number; readonly task: ArchiveTask }
  | { readonly kind: 'verifyArchives'; readonly id: number; readonly task: ArchivesTask }
  | {
      readonly kind: 'restore';
      readonly id: number;
      readonly task: RestoreTask;
      readonly holder: LockHolder;
    }
  | { readonly kind: 'drill'; readonly id: number; readonly task: DrillTask; readonly holder: LockHolder }
  | { readonly kind: 'probe'; readonly id: number; readonly host: Host }
  | { readonly kind: 'check'; readonly id: number; readonly host: Host }
  | { readonly kind: 'measure'; readonly id: number; readonly groups: readonly (readonly string[])[] }
  | { readonly kind: 'cancel'; readonly id: number }
  /** The answer to `askForRoom`: null when there is room. */
  | { readonly kind: 'room'; readonly id: number; readonly refusal: Refusal | null }
  /** The answer to `postBackup`: the disk is quiet. */
  | { readonly kind: 'quiet'; readonly id: number }
  /** All runs may go on for so long from now; without a word by then they stop by themselves. */
  | { readonly kind: 'mayGoOn'; readonly ms: number }
  /** The daemon stops soon: scripts and commands that follow a backup have a few seconds left. */
  | { readonly kind: 'hurry' };

/** Why something is not done; the error is built anew on the other side. */
export interface Refusal {
  readonly reason: Reason;
  readonly facts: Facts;
}

export type Report =
  | { readonly kind: 'progress'; readonly id: number; readonly progress: Progress }
  | { readonly kind: 'jobs'; readonly id: number; readonly jobs: readonly JobRecord[] }
  | { readonly kind: 'log'; readonly id: number }
  | { readonly kind: 'askForRoom'; readonly id: number; readonly type: BackupType }
  | { readonly kind: 'postBackup'; readonly id: number; readonly snapshot: SnapshotRecord | null }
  | { readonly kind: 'backedUp'; readonly id: number; readonly result: BackupResult }
  | { readonly kind: 'verified'; readonly id: number; readonly result: VerifyResult }
  | { readonly kind: 'archived'; readonly id: number; readonly result: ArchiveResult }
  | { readonly kind: 'restored'; readonly id: number; readonly result: RestoreResult }
  | { readonly kind: 'drilled'; readonly id: number; readonly result: DrillResult }
  | { readonly kind: 'probed'; readonly id: number; readonly result: ProbeResult }
  | { readonly kind: 'checked'; readonly id: number; readonly check: HostCheck }
  | { readonly kind: 'measuring'; readonly id: number; readonly progress: MeasureProgress }
  | { readonly kind: 'measured'; readonly id: number; readonly usages: readonly (DiskUsage | null)[] }
  | ({ readonly kind: 'refused'; readonly id: number } & Refusal);
