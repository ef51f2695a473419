/** Which ends of runs only say that the host was not there. That is no failure: a host that is away becomes overdue. */
import { isActive, type RunRecord } from './run.js';

type End = Pick<RunRecord, 'state' | 'error'>;

/** The runs of a host since its last success, in numbers. */
export interface Misses {
  readonly failed: number;
  /** Those whose host was not there, or went away. */
  readonly away: number;
}

export const noMisses: Misses = { failed: 0, away: 0 };

/** So many in a row are tried again as soon as the host is there; a machine that crashes in its backups needs a pause. */
const freeAbsences = 2;

export function isAbsence({ state, error }: End): boolean {
  return state === 'FAILED' && (error?.reason === 'HOST_UNREACHABLE' || error?.reason === 'HOST_WENT_AWAY');
}

/** Counts one run more, if it has ended; a cancelled one counts for nothing. */
export function countMiss(misses: Misses, run: End): Misses {
  if (isActive(run.state) || run.state === 'CANCELLED') return misses;
  if (run.state === 'SUCCEEDED' || run.state === 'PARTIAL') return noMisses;
  if (isAbsence(run)) return { ...misses, away: misses.away + 1 };
  return { ...misses, failed: misses.failed + 1 };
}

/** For how many failures in a row the next try has to wait. */
export function failuresInRow({ failed, away }: Misses): number {
  return failed > 0 || away <= freeAbsences ? failed : 1;
}
