/** The reasons of looking into snapshots; a part of the catalogue in `error-sentences.ts`. */
import { says, type Sentence } from './sentence.js';

export const browseSentences = {
  NO_SNAPSHOT: says(
    'NOT_FOUND',
    (f) =>
      `Host "${f.host}" has no snapshot${f.asOf ? ` that was made at or before ${f.asOf}` : ''}${f.before ? ` before ${f.before}, so there is nothing to compare with` : ''}.`,
    (f) =>
      f.asOf ? `List its snapshots with: busy snapshots ${f.host}` : `Make one with: busy backup ${f.host}`,
  ),
  PATH_REFUSED: says(
    'INVALID_ARGUMENT',
    (f) => `The path "${f.path}" is refused: ${f.problem}.`,
    () =>
      'Name a file as it was called on the host, from its root on. Symlinks are shown, but never followed.',
  ),
  PATH_NOT_FOUND: says(
    'NOT_FOUND',
    (f) => `There is no "${f.path}" in snapshot ${f.snapshot}.`,
    () =>
      'See what is there with: busy ls HOST/SNAPSHOT PATH. Bytes that are no UTF-8 are written as \\#ooo (octal).',
  ),
  PATH_UNREADABLE: says(
    'FAILED_PRECONDITION',
    (f) => `"${f.path}" in snapshot ${f.snapshot} cannot be read: ${f.detail}.`,
    () => 'Give the daemon the right to read it, and check the backup disk.',
  ),
  SNAPSHOT_REMOVED: says(
    'ABORTED',
    (f) => `The files of snapshot ${f.snapshot} are not there${f.when ?? ''}.`,
    () =>
      'It may have been removed or archived meanwhile, or its disk is not mounted: see busy snapshots, then try again.',
  ),
  SNAPSHOT_UNLISTED: says(
    'FAILED_PRECONDITION',
    (f) => `Snapshot ${f.snapshot} was made by the original BUSY, which kept no paths.`,
    (f) => `Its files are on the server, below ${f.path}.`,
  ),
  ARCHIVE_UNLISTED: says(
    'FAILED_PRECONDITION',
    (f) => `The archive of snapshot ${f.snapshot} has no list of its files that can be read: ${f.detail}.`,
    () => 'List the tarball itself, with: tar tvf',
  ),
  BROWSING_STOPPED: says(
    'ABORTED',
    (f) =>
      `Looking into snapshots of host "${f.host}" was stopped, since post-backup may unmount their disk.`,
    () => 'Try again when no backup runs.',
  ),
} as const satisfies Record<string, Sentence>;
