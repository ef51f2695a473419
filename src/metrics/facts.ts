/** What metrics are made of: the daemon as it is at one moment. Plain data. */
import type { HostCondition } from '../core/host-condition.js';
import type { RunKind, RunState } from '../core/run.js';
import type { DiskRoom } from '../core/space.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import type { VerificationState } from '../core/verification-state.js';

export interface Facts {
  readonly version: string;
  readonly startedAt: Date;
  /** The runs that have not ended. */
  readonly runs: readonly ActiveRunFacts[];
  /** Backups that may run together. */
  readonly maxRunning: number;
  readonly executors: number;
  readonly disks: readonly DiskFacts[];
  readonly isDatabaseUp: boolean;
  /** Mails that wait to be sent; null when that is not known. */
  readonly mailCount: number | null;
  readonly verification: VerificationState;
  readonly hosts: readonly HostFacts[];
}

export interface ActiveRunFacts {
  readonly kind: RunKind;
  readonly state: RunState;
  readonly bytesPerSecond: number;
}

export interface DiskFacts {
  readonly directory: string;
  readonly use: 'backup' | 'archive' | 'state';
  readonly room: DiskRoom;
}

/** A backup that has ended, however it did. */
export interface EndedBackup {
  readonly endedAt: Date;
  /** Null when it was never started. */
  readonly durationMs: number | null;
}

export interface HostFacts {
  readonly name: string;
  readonly condition: HostCondition;
  readonly failuresInRow: number;
  readonly snapshotCount: number;
  /** The newest that is not held. */
  readonly newest: Pick<SnapshotRecord, 'startedAt' | 'stats'> | null;
  /** After how many days without a new snapshot it is late; Infinity: never. */
  readonly ageLimitDays: number;
  readonly lastBackup: EndedBackup | null;
  /** When a drill last proved that a restore works. */
  readonly restoreProvenAt: Date | null;
}
