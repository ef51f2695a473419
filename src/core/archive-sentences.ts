/** The reasons of archives; a part of the catalogue in `error-sentences.ts`. */
import { says, type Sentence } from './sentence.js';

const stays = 'The snapshot stays where it is.';

export const archiveSentences = {
  ARCHIVE_NOT_FOUND: says(
    'NOT_FOUND',
    (f) =>
      f.asOf
        ? `Host "${f.host}" has no archive of a snapshot that was made at or before ${f.asOf}.`
        : `There is no archive of snapshot "${f.snapshot}" of host "${f.host}".`,
    (f) => `List its archives with: busy archives ${f.host}`,
  ),
  NO_ARCHIVEDIR: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" has no archivedir, so there is no place for its archives.`,
    () => 'Set archivedir for the host or in defaults, a directory on this server.',
  ),
  NOTHING_TO_ARCHIVE: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" has nothing to archive: ${f.why}.`,
    (f) => `Name a snapshot to archive it now, whatever its age: busy archive ${f.host}/SNAPSHOT`,
  ),
  NO_ARCHIVES: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" has no archives, so there is nothing to verify.`,
    (f) => `Make one with: busy archive ${f.host}/SNAPSHOT`,
  ),
  HELD_NOT_ARCHIVED: says(
    'FAILED_PRECONDITION',
    (f) => `Snapshot ${f.snapshot} of host "${f.host}" is held, so it is not archived.`,
    (f) => `Decide on it first: busy acknowledge ${f.host} ${f.snapshot}`,
  ),
  ARCHIVEDIR_UNUSABLE: says(
    'FAILED_PRECONDITION',
    (f) => `The archive directory ${f.archivedir} cannot be used: ${f.detail}.`,
    () =>
      'Nothing was lost by it. Mount its disk, or make the directory, and see that busyd may write there.',
  ),
  ARCHIVE_DISK_FULL: says(
    'FAILED_PRECONDITION',
    (f) => `There is no space left in the archive directory ${f.archivedir}: ${f.detail}.`,
    () => `${stays} Make room there, for example by archive_keep or busy archive-delete.`,
  ),
  ARCHIVE_FAILED: says(
    'INTERNAL',
    (f) => `Snapshot ${f.snapshot} of host "${f.host}" could not be archived: ${f.detail}.`,
    () => `${stays} The log of the run has all that was said.`,
  ),
  SNAPSHOT_UNREADABLE: says(
    'FAILED_PRECONDITION',
    (f) => `Something in snapshot ${f.snapshot} of host "${f.host}" cannot be read: ${f.detail}.`,
    () => `${stays} Check the rights of busyd there, and the disk (smartctl, the system log).`,
  ),
  SNAPSHOT_GONE: says(
    'FAILED_PRECONDITION',
    (f) => `Snapshot ${f.snapshot} of host "${f.host}" is not on its disk: ${f.detail}.`,
    () => 'Mount the backup disk. What was removed by hand is taken out of the records by: busyd reindex',
  ),
  ARCHIVE_MISMATCH: says(
    'FAILED_PRECONDITION',
    (f) =>
      `What was written for snapshot ${f.snapshot} of host "${f.host}" is not what its manifest says: ${f.first} (${f.count} in all).`,
    (f) => `${stays} See what differs: busy verify ${f.host} ${f.snapshot}`,
  ),
  ARCHIVE_DAMAGED: says(
    'FAILED_PRECONDITION',
    (f) =>
      `The archive of snapshot ${f.snapshot} of host "${f.host}" (${f.path}) is damaged: ${f.first} (${f.count} in all).`,
    () =>
      'See the log of the run. Check the disk of the archives, and take the copy in archive_copy_to, if there is one.',
  ),
  ARCHIVE_COPY_FAILED: says(
    'FAILED_PRECONDITION',
    (f) => `The archive ${f.path} could not be copied to ${f.directory}: ${f.detail}.`,
    () => `The archive itself is whole. ${stays} The copy is tried again with the next run.`,
  ),
  PRE_ARCHIVE_FAILED: says(
    'FAILED_PRECONDITION',
    (f) => `${f.script} ${f.ending}, so nothing of host "${f.host}" was archived.`,
    () => 'The log of the run has what it wrote. An archive is made only when the script ends with code 0.',
  ),
  ARCHIVING_FOR_SCRIPT: says(
    'ABORTED',
    (f) => `The archiving of host "${f.host}" was stopped, since post-backup may unmount its disk.`,
    () => 'It is tried again by itself. Archive by hand when no backup runs.',
  ),
} as const satisfies Record<string, Sentence>;
