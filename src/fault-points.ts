/**
 * The steps at which a crash would hurt most, by name. Here a step does nothing; the tests put a file in the place of
 * this one that kills the daemon there, and look at what is left (test/faults).
 */
export const faultPoints = [
  // A backup.
  'run is QUEUED',
  'run is RUNNING',
  'partial is made',
  'source is copied',
  'manifest is written',
  'log is kept',
  'snapshot is described',
  'partial is flushed',
  'mark is removed',
  'snapshot is renamed',
  'rename is flushed',
  'snapshot is recorded',
  'run is SUCCEEDED',
  // What goes after a backup: partial directories, and snapshots that nothing keeps.
  'directory is discarded',
  'snapshot is taken out',
  'snapshot is forgotten',
  // An archive: its files, its record, and then the snapshot goes.
  'tarball is written',
  'tarball is verified',
  'archive is described',
  'tarball is renamed',
  'archive is recorded',
  'archive is removed',
  // A migration of the database.
  'table is made',
] as const;

/** The same of what a call deletes: into the trash, back, and out of it for good. */
export const trashFaultPoints = [
  'trash is noted',
  'snapshot is in the trash',
  'snapshot is out of the trash',
  'trash is taken out',
] as const;

export type FaultPoint =
  | (typeof faultPoints)[number]
  | (typeof trashFaultPoints)[number]
  // Of what a call changes.
  | 'audit line is written';

/** Those of them that only archives come to. */
export const archiveFaultPoints: readonly FaultPoint[] = faultPoints.filter((step) =>
  /^(tarball|archive) /.test(step),
);

/** Says that a step has been done. */
export function faultPoint(_step: FaultPoint): void {}
