/**
 * What BUSY promises of types, link bases and retention, said once more and independently of the product. Snapshots
 * are their names here, oldest first; a name ends in the letter of its type.
 */
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';

const isFull = (name: string): boolean => name.endsWith('f');

export function expectedType(
  requested: BackupType,
  snapshots: readonly string[],
  maxIncr: number,
): BackupType {
  const youngestFull = snapshots.findLastIndex(isFull);
  if (snapshots.length === 0 || requested === BackupType.FULL) return BackupType.FULL;
  if (requested === BackupType.INCREMENTAL) return BackupType.INCREMENTAL;
  const incrementals = snapshots.length - 1 - youngestFull;
  return youngestFull < 0 || incrementals >= maxIncr ? BackupType.FULL : BackupType.INCREMENTAL;
}

/** The newest one and the youngest full one. */
export function expectedLinkBases(type: BackupType, snapshots: readonly string[]): string[] {
  if (type === BackupType.FULL) return [];
  return [...new Set([snapshots.at(-1), snapshots.findLast(isFull)])].filter((name) => name !== undefined);
}

/** Which stay of snapshots without missing files, where `keep` is `last: N`, or null when there is none. */
export function expectedToStay(snapshots: readonly string[], last: number | null): string[] {
  if (last === null) return [...snapshots];
  const youngestFull = snapshots.findLast(isFull);
  const newest = snapshots.slice(-Math.max(1, last));
  return snapshots.filter((name) => newest.includes(name) || name === youngestFull);
}

/** Whether the newest backup failed, so that nothing may be removed. A cancelled one says nothing. Newest run first. */
export function hasFailed(runs: readonly Run[]): boolean {
  const judged = runs.find(({ state }) => state !== RunState.CANCELLED);
  return judged !== undefined && judged.state !== RunState.SUCCEEDED;
}
