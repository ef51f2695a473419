/** What the daemon and an executor process say to each other. Plain data; dates survive the serialization used. */
import type { Facts, Reason } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { BackupResult, BackupTask, ProbeResult } from '../core/ports.js';
import type { JobRecord, Progress } from '../core/run.js';
import type { SnapshotRecord } from '../core/snapshot.js';

export type Command =
  | { readonly kind: 'backUp'; readonly id: number; readonly task: BackupTask }
  | { readonly kind: 'probe'; readonly id: number; readonly host: Host }
  | { readonly kind: 'cancel'; readonly id: number }
  /** The answer to `postBackup`: the disk is quiet. */
  | { readonly kind: 'quiet'; readonly id: number }
  /** The daemon stops soon: scripts and commands that follow a backup have a few seconds left. */
  | { readonly kind: 'hurry' };

export type Report =
  | { readonly kind: 'progress'; readonly id: number; readonly progress: Progress }
  | { readonly kind: 'jobs'; readonly id: number; readonly jobs: readonly JobRecord[] }
  | { readonly kind: 'log'; readonly id: number }
  | { readonly kind: 'postBackup'; readonly id: number; readonly snapshot: SnapshotRecord | null }
  | { readonly kind: 'backedUp'; readonly id: number; readonly result: BackupResult }
  | { readonly kind: 'probed'; readonly id: number; readonly result: ProbeResult }
  | { readonly kind: 'refused'; readonly id: number; readonly reason: Reason; readonly facts: Facts };
