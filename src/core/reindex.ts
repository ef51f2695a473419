/** What the records of snapshots lack or have too many, against what the disk has. Pure. */
import type { SnapshotRecord } from './snapshot.js';

export interface IndexChanges {
  /** On the disk, but not in the records. */
  readonly added: readonly SnapshotRecord[];
  /** In both, but not the same. */
  readonly corrected: readonly SnapshotRecord[];
  /** In the records, but not on the disk. */
  readonly removed: readonly SnapshotRecord[];
  readonly keptCount: number;
}

/** Names in both are those of one host. */
export function indexChanges(
  recorded: readonly SnapshotRecord[],
  onDisk: readonly SnapshotRecord[],
): IndexChanges {
  const known = new Map(recorded.map((snapshot) => [snapshot.name, snapshot]));
  const there = new Set(onDisk.map(({ name }) => name));
  const added = onDisk.filter(({ name }) => !known.has(name));
  const corrected = onDisk.filter((snapshot) => {
    const before = known.get(snapshot.name);
    return before !== undefined && !isSame(before, snapshot);
  });
  const removed = recorded.filter(({ name }) => !there.has(name));
  return { added, corrected, removed, keptCount: onDisk.length - added.length - corrected.length };
}

/** Field by field, since databases keep no order of the fields. */
function isSame(a: SnapshotRecord, b: SnapshotRecord): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
