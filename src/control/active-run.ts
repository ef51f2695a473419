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

/** Stops a run that takes longer than its host's `timeout`; the answered timer must be cleared when it has ended. */
export function stopWhenLate(active: ActiveRun, host: Host): NodeJS.Timeout | undefined {
  if (host.timeoutMs === 0) return undefined;
  return setTimeout(() => {
    active.stopCause ??= 'timeout';
    active.abort.abort();
  }, host.timeoutMs);
}
