import type { SnapshotDisk } from '../../src/core/ports.js';

/** A disk that holds every snapshot that is asked for, and does nothing. */
export const presentDisk: SnapshotDisk = {
  locate: async (snapshots) => new Map(snapshots.map((snapshot) => [snapshot, 'present' as const])),
  takeOut: () => Promise.resolve(),
  release: () => Promise.resolve(),
  sweepBeside: () => Promise.resolve(true),
};
