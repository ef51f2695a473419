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

/** More backups in a row than this that found no host are no chance any more. */
const mostAbsences = 2;

/**
 * Whether nothing may be removed, since backups have failed after the last good one. A cancelled one says nothing, and
 * one or two that found the host away do not either. Newest run first.
 */
export function hasFailed(backups: readonly Run[]): boolean {
  const good = backups.findIndex(({ state }) => state === RunState.SUCCEEDED);
  const bad = backups
    .slice(0, good < 0 ? undefined : good)
    .filter(({ state }) => state !== RunState.CANCELLED);
  const away = bad.filter(({ error }) =>
    ['HOST_UNREACHABLE', 'HOST_WENT_AWAY'].includes(error?.reason ?? ''),
  );
  return bad.length > away.length || away.length > mostAbsences;
}
