/** How a script or command of the administrator ended, and how long it may take. */
import type { Ending } from './process.js';

export type CommandEnd =
  | { readonly how: 'ended'; readonly ending: Ending }
  /** It took longer than it may, or the run was stopped. `isGone`: it was ended; else it may work on. */
  | { readonly how: 'late' | 'stopped'; readonly isGone: boolean }
  | { readonly how: 'unstartable'; readonly detail: string };

/** What a daemon that stops leaves to those that come at the end of a backup. */
const hastyMs = 5000;

const notGone = 'could not be ended: it may still run';

/** How long the outputs of one that has ended may stay open: its children in the background may hold them. */
export const graceMs = 500;

export function isSuccess(end: CommandEnd): boolean {
  return end.how === 'ended' && end.ending.code === 0;
}

/** For example "ended with code 3": follows the name of the command. `setting` is the one that limits its time. */
export function describeEnd(end: CommandEnd, timeoutMs: number, setting: string): string {
  switch (end.how) {
    case 'ended':
      if (end.ending.signal !== null) return `was ended by signal ${end.ending.signal}`;
      return end.ending.code === null ? 'ended without a code' : `ended with code ${end.ending.code}`;
    case 'late':
      return `took longer than ${timeoutMs / 1000} seconds (${setting}) and ${end.isGone ? 'was ended' : notGone}`;
    case 'stopped':
      return end.isGone ? 'was ended early' : `was to end early and ${notGone}`;
    case 'unstartable':
      return `could not be started (${end.detail})`;
    default:
      return end satisfies never;
  }
}

/** A limit for one command. `end` must be called when it has ended. */
export interface TimeLimit {
  readonly signal: AbortSignal;
  /** Why `signal` is aborted. */
  reason(): 'late' | 'stopped';
  end(): void;
}

/** For what comes before the copying: aborted after the time, or at once when the run is cancelled. */
export function limitBefore(timeoutMs: number, cancel: AbortSignal): TimeLimit {
  return limit(timeoutMs, cancel, 0);
}

/** For what comes after it: a cancel does not touch it, but when the daemon stops (`haste`) a few seconds are left. */
export function limitAfter(timeoutMs: number, haste: AbortSignal): TimeLimit {
  return limit(timeoutMs, haste, hastyMs);
}

function limit(timeoutMs: number, stop: AbortSignal, leftMs: number): TimeLimit {
  const controller = new AbortController();
  // The first reason stays.
  const late = setTimeout(() => controller.abort('late'), timeoutMs);
  let hurry: NodeJS.Timeout | undefined;
  const onStop = (): void => {
    if (leftMs === 0) controller.abort('stopped');
    else hurry = setTimeout(() => controller.abort('stopped'), leftMs);
  };
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop, { once: true });
  return {
    signal: controller.signal,
    reason: () => (controller.signal.reason === 'late' ? 'late' : 'stopped'),
    end: () => {
      stop.removeEventListener('abort', onStop);
      clearTimeout(late);
      clearTimeout(hurry);
    },
  };
}

/** Settles so long after `signal` was aborted. */
export function afterAbort(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const begin = (): void => void setTimeout(resolve, ms).unref();
    if (signal.aborted) begin();
    else signal.addEventListener('abort', begin, { once: true });
  });
}
