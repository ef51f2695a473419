/** Waiting that has an end. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** Settles after so long, or as soon as `signal` is aborted. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}

/** Settles when `signal` is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Whether a piece of work is over in this time, in whatever way. */
export function settlesWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const isSettled = work.then(
    () => true,
    () => true,
  );
  return Promise.race([isSettled, delay(ms, false, { ref: false })]);
}
