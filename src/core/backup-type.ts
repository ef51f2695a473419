/**
 * Which type a backup must have, with the reason. The rules are those of the original BUSY: full when there is no
 * full, after `max_incr` incremental ones, or when the youngest full is `max_age_full` days old; else incremental.
 */
import type { Host } from './host.js';
import type { RequestedType } from './run.js';
import { isHeld, type BackupType, type SnapshotRecord } from './snapshot.js';

export interface TypeDecision {
  readonly type: BackupType;
  /** One plain sentence. */
  readonly reason: string;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Decides the type of a backup from the committed snapshots of the host (newest first). Held ones do not count. While
 * the newest one is held nothing full is made: each would copy all of a source that is in doubt. `ageOf` answers the
 * age of one of them in milliseconds.
 */
export function decideType(
  host: Host,
  all: readonly SnapshotRecord[],
  requested: RequestedType,
  ageOf: (snapshot: SnapshotRecord) => number,
): TypeDecision {
  if (requested !== 'auto') return { type: requested, reason: `${requested} was asked for` };
  const snapshots = all.filter((snapshot) => !isHeld(snapshot));
  if (snapshots.length > 0 && all[0] && isHeld(all[0]))
    return { type: 'incremental', reason: `the newest snapshot ${all[0].name} is held` };
  const youngestFull = snapshots.findIndex((snapshot) => snapshot.type === 'full');
  const full = snapshots[youngestFull];
  if (!full) return { type: 'full', reason: 'there is no full snapshot yet' };
  if (youngestFull >= host.maxIncr) {
    return {
      type: 'full',
      reason: `there are ${youngestFull} incremental snapshots since the youngest full one, and max_incr is ${host.maxIncr}`,
    };
  }
  const age = ageOf(full) / dayMs;
  if (age >= host.maxAgeFull) {
    return {
      type: 'full',
      reason: `the youngest full snapshot is ${age.toFixed(1)} days old, and max_age_full is ${host.maxAgeFull}`,
    };
  }
  return {
    type: 'incremental',
    reason: `the youngest full snapshot is ${age.toFixed(1)} days old, with ${youngestFull} incremental since`,
  };
}
