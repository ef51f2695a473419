import { SchedulingFleet } from './scheduling-fleet.js';

/** Every figure is of a fleet of this size. */
export const fleetSize = 10_000;
/** What one pass over it may take. */
export const passGoalMs = 50;
/** As far apart as the looks of the daemon. */
export const passStepMs = 20_000;

/**
 * Milliseconds of each pass of the scheduler over the whole fleet, from the first one after a start: decide, sort, ask each
 * host that is due whether it is there, and trigger its backup.
 */
export async function measureScheduler(passCount: number, signal: AbortSignal): Promise<number[]> {
  const fleet = await SchedulingFleet.create(fleetSize);
  const timesMs: number[] = [];
  for (let pass = 0; pass < passCount; pass++) {
    signal.throwIfAborted();
    const startedAt = performance.now();
    await fleet.scheduler.look();
    timesMs.push(performance.now() - startedAt);
    fleet.advance(passStepMs);
  }
  if (fleet.startCount === 0) throw new Error('No backup was started.');
  return timesMs;
}
