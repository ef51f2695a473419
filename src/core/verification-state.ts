/** How well the bytes of snapshots are known to be what was copied. Pure. */
import type { SnapshotRecord } from './snapshot.js';

export interface VerificationState {
  /** The bytes that nobody has read for the longest time; null when no snapshot has a manifest. */
  readonly oldest: { readonly host: string; readonly snapshot: string; readonly since: Date } | null;
  /** Snapshots without a manifest. */
  readonly unverifiable: number;
  /** Snapshots with files that are known to be damaged or missing. */
  readonly damaged: number;
}

/** Of snapshots in any order. A snapshot that was never verified counts since it was made. */
export function verificationStateOf(snapshots: Iterable<SnapshotRecord>): VerificationState {
  let oldest: VerificationState['oldest'] = null;
  let unverifiable = 0;
  let damaged = 0;
  for (const { host, name, manifest, verifiedAt, committedAt, damagedFileCount } of snapshots) {
    if (damagedFileCount > 0) damaged += 1;
    const since = verifiedAt ?? committedAt;
    if (manifest === null) unverifiable += 1;
    else if (oldest === null || since < oldest.since) oldest = { host, snapshot: name, since };
  }
  return { oldest, unverifiable, damaged };
}

/** The snapshots of all these hosts, one after the other. */
export function* snapshotsOfAll(
  hosts: readonly { readonly name: string }[],
  snapshotsOf: (host: string) => readonly SnapshotRecord[],
): Generator<SnapshotRecord> {
  for (const { name } of hosts) yield* snapshotsOf(name);
}
