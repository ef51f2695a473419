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
}

export function newActiveRun(record: RunRecord): ActiveRun {
  return { record, progress: null, abort: new AbortController(), turn: new Mutex(), stopCause: null };
}

/** Stops a run that takes longer than its host's `timeout`; the answered timer must be cleared when it has ended. */
export function stopWhenLate(active: ActiveRun, host: Host): NodeJS.Timeout | undefined {
  if (host.timeoutMs === 0) return undefined;
  return setTimeout(() => {
    active.stopCause ??= 'timeout';
    active.abort.abort();
  }, host.timeoutMs);
}
