/** A run that has not ended, as the lifecycle holds it in memory. */
import { Mutex } from 'async-mutex';
import type { Host } from '../core/host.js';
import type { Progress, RunRecord } from '../core/run.js';
import type { StopCause } from './run-ends.js';

export interface ActiveRun {
  record: RunRecord;
  progress: Progress | null;
  readonly abort: AbortController;
  /** Start, cancel and end of a run take turns: each decides by the state that the one before has left. */
  readonly turn: Mutex;
  stopCause: StopCause | null;
  /** Settles when it has ended. */
  readonly ended: Promise<void>;
  readonly markEnded: () => void;
}

export function newActiveRun(record: RunRecord): ActiveRun {
  const end = new AbortController();
  const ended = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
  const abort = new AbortController();
  return {
    record,
    progress: null,
    abort,
    turn: new Mutex(),
    stopCause: null,
    ended,
    markEnded: () => end.abort(),
  };
}

/** What changes while a run runs. */
export type ChangeOfRun = { readonly progress: Progress } | { readonly jobs: RunRecord['jobs'] };

/** Takes a change, and answers the record with it. */
export function takeChange(active: ActiveRun, change: ChangeOfRun): RunRecord {
  if ('jobs' in change) return { ...active.record, jobs: change.jobs };
  active.progress = change.progress;
  return active.record;
}

/** Stops a run that takes longer than its host's `timeout`; the answered timer must be cleared when it has ended. */
export function stopWhenLate(active: ActiveRun, host: Host): NodeJS.Timeout | undefined {
  if (host.timeoutMs === 0) return undefined;
  return setTimeout(() => stopFor(active, 'timeout'), host.timeoutMs);
}

/** Stops a run for another cause than someone's wish; unlike a cancel it is told by the end of the run alone. */
export function stopFor(active: ActiveRun, cause: StopCause): void {
  active.stopCause ??= cause;
  active.abort.abort();
}
