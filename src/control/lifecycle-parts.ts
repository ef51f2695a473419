/** What the life of runs needs from outside. */
import type { Host } from '../core/host.js';
import type { Executor } from '../core/executor-port.js';
import type { Clock, RunLogs, RunStore } from '../core/ports.js';
import type { Presence } from '../core/presence.js';
import type { JobRecord } from '../core/run.js';
import type { ScriptSettings } from '../core/settings.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import type { ArchivingParts } from './archive-parts.js';
import type { Browser } from './browser.js';
import type { Catalog } from './catalog.js';
import type { HostHold } from './host-claims.js';
import type { LogGrowth } from './log-stream.js';
import type { RunEvents } from './run-events.js';
import type { QueueLimits } from './run-queue.js';
import type { SpaceGuard } from './space-guard.js';

/** A snapshot on the disk, and what became of each source directory; of that nothing, where the disk does not tell. */
export interface Committed {
  readonly snapshot: SnapshotRecord;
  readonly jobs: readonly JobRecord[];
}

export interface LifecycleParts {
  readonly clock: Clock;
  readonly runs: RunStore;
  readonly catalog: Catalog;
  /** Finds snapshots that are in an archive only, too. */
  readonly browser: Pick<Browser, 'snapshot'>;
  /** Which hosts are this daemon's. */
  readonly hold: HostHold;
  readonly executor: Executor;
  readonly logs: RunLogs;
  readonly events: RunEvents;
  readonly growth: LogGrowth;
  readonly limits: QueueLimits;
  /** The scripts for a backup that begins now. */
  readonly scripts: () => ScriptSettings;
  /** Names the disk of a host's backups; hosts with the same name share its limit. Never throws. */
  readonly diskOf: (host: Host) => Promise<string>;
  readonly archiving: ArchivingParts;
  readonly space: Pick<SpaceGuard, 'admit' | 'release'>;
  /** Looks on the disk for the snapshot that a run committed. */
  readonly findCommitted: (host: Host, runId: string) => Promise<Committed | null>;
  /**
   * Settles when the daemon does nothing any more on the backup disk of a host; before that, with a new snapshot, it
   * removes what need not be kept.
   */
  readonly quietDisk: (host: Host, hasNewSnapshot: boolean) => Promise<void>;
  /** Whether a host is there. Never throws. */
  readonly lookFor: (host: Host) => Promise<Presence>;
  /** The files and directories of the server that no restore may write into. */
  readonly ownDirectories: () => readonly string[];
  /** Those that hold secrets of BUSY. */
  readonly secretPlaces: () => readonly string[];
  /** What no caller can be told. */
  readonly onError: (message: string, error: unknown) => void;
}
