/**
 * Which records of runs may go, so that a daemon of years does not grow for ever. Pure. What is old goes, but for what
 * someone may still need: the run that made a snapshot on record, and of each host the newest, of all and of the backups
 * alone, from which the history of failures is told, and the newest drill that proved that a restore works.
 */
import { isActive, type RunRecord } from './run.js';

/** So many runs of each host, and so many backups, stay however old they are. */
export const newestRunsKept = 20;

const dayMs = 86_400_000;

export interface RunRetentionFacts {
  /** Of one host, in any order. */
  readonly runs: readonly Pick<RunRecord, 'id' | 'state'>[];
  /** The ids of the `newestRunsKept` newest runs and backups of this host, and of its newest proof of a restore. */
  readonly newest: ReadonlySet<string>;
  /** The ids of the runs that made the snapshots on record. */
  readonly makers: ReadonlySet<string>;
}

/** The moment before which a run must have been asked for to be removed; null: `keep_runs` is 0, and all stay. */
export function oldestKept(keepRunsDays: number, now: Date): Date | null {
  return keepRunsDays === 0 ? null : new Date(Math.max(0, now.getTime() - keepRunsDays * dayMs));
}

/** The ids of those that may go, of runs that are old enough. */
export function removableRuns({ runs, newest, makers }: RunRetentionFacts): string[] {
  const mayGo = runs.filter(({ id, state }) => !isActive(state) && !newest.has(id) && !makers.has(id));
  return mayGo.map(({ id }) => id);
}
