/** What a kind of run is: what it does between its beginning and its end. `RunLifecycle` owns all the rest. */
import type { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { RunChanges } from '../core/ports.js';
import type { RunRecord } from '../core/run.js';
import type { ActiveRun, ChangeOfRun } from './active-run.js';
import type { EndState } from './run-ends.js';
import type { Lane } from './run-lanes.js';

export interface RunReports {
  /** Takes what changes while the run runs. */
  note(change: ChangeOfRun): void;
  /** Writes a line into the log of the run; never throws. */
  say(text: string): Promise<void>;
}

export interface RunEnding {
  readonly state: EndState;
  readonly changes: RunChanges;
}

export interface KindOfRun {
  readonly lane: Lane;
  /** When the daemon stops, such a run is given time to end by itself. */
  readonly isGivenTime: boolean;
  /** The host that it writes to, whose backups must wait meanwhile; null: none. */
  writesTo(run: RunRecord): string | null;
  /** What it is, for its log. */
  describe(run: RunRecord): string;
  /** Throws what stands against it, before it is queued. */
  check(run: RunRecord): void | Promise<void>;
  /** What is decided when it begins, and how its log tells it; or why it must not begin any more. */
  begin(run: RunRecord, host: Host): { changes: RunChanges; line: string } | { refusal: BusyError };
  /** Does the work and answers how it ended; a failure is an ending too. */
  carryOut(active: ActiveRun, host: Host, reports: RunReports): Promise<RunEnding>;
}
