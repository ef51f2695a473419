/** The reasons of restores; a part of the catalogue in `error-sentences.ts`. */
import { says, type Sentence } from './sentence.js';

const again = 'The same restore again completes it.';

export const restoreSentences = {
  RESTORE_KEY_READ_ONLY: says(
    'FAILED_PRECONDITION',
    (f) =>
      `The key ${f.identityFile} of host "${f.host}" may only read there, so nothing can be restored to it.`,
    (f) =>
      `Nothing was changed. Make a key for restores (ssh-keygen -t ed25519 -N '' -f ${f.suggested}), set restore_identity_file: ${f.suggested} for the host, and add to ~/.ssh/authorized_keys of "${f.user}" there: restrict,command="rrsync ${f.directory}" and the line of ${f.suggested}.pub. Remove that line when it is not needed any more. Or restore to another place.`,
  ),
  RESTORE_BLOCKED: says(
    'FAILED_PRECONDITION',
    (f) =>
      `"${f.path}" is a directory in the snapshot, but a symlink or something else at the target, and no restore goes through it.`,
    () => 'Nothing was changed. Restore to where it leads (--to HOST:DIRECTORY), or remove it there first.',
  ),
  RESTORE_SOURCE_MISSING: says(
    'NOT_FOUND',
    (f) => `What was to be restored is not all in snapshot ${f.snapshot}; it does not have: ${f.missing}.`,
    (f) =>
      f.rest
        ? `Nothing was changed. Its backup did not copy it, or it was no source directory then. To restore the rest, name it instead: ${f.rest}`
        : 'Nothing was changed. Its backup did not copy it, or it was no source directory then; take another snapshot.',
  ),
  RESTORE_TARGET_OWN: says(
    'FAILED_PRECONDITION',
    (f) => `"${f.path}" would be written into or over ${f.own}, which belongs to BUSY.`,
    () => 'Nothing was changed. Choose a directory outside of all backupdir, archivedir and state_dir.',
  ),
  RESTORE_TARGET_UNUSABLE: says(
    'FAILED_PRECONDITION',
    (f) => `The directory ${f.directory} on ${f.where} cannot be restored into: ${f.detail}.`,
    () => 'Nothing was changed. Make it first; only its last part is made by a restore.',
  ),
  RESTORE_DISK_FULL: says(
    'FAILED_PRECONDITION',
    (f) => `The disk that is restored to on ${f.where} is full: ${f.detail}.`,
    () => `Free space there. What is restored by now is whole and stays. ${again}`,
  ),
  RESTORE_INCOMPLETE: says(
    'FAILED_PRECONDITION',
    (f) => `Not all was restored: ${f.count}, the first: ${f.first}.`,
    () =>
      `The log of the run has all of them. Give the user the rights that are missing, then: ${again.toLowerCase()}`,
  ),
  RESTORE_BROKE_OFF: says(
    'UNAVAILABLE',
    (f) => `The restore to host "${f.host}" broke off: ${f.detail}.`,
    () =>
      `What was restored by then is whole. ${again} A host that lost its power may keep files named .NAME.XXXXXX, which can be removed.`,
  ),
  RESTORE_CANCELLED: says(
    'ABORTED',
    (f) => `The restore was cancelled${f.by ? ` ${f.by}` : ''}.`,
    () => `What was restored by then is whole and stays. ${again}`,
  ),
  RESTORE_NO_ROOM: says(
    'FAILED_PRECONDITION',
    (f) => `The archive cannot be unpacked into ${f.directory}: ${f.detail}.`,
    () => 'Free space below backupdir, or restore fewer paths at once. What was unpacked is removed again.',
  ),
  ARCHIVE_NOT_RESTORABLE: says(
    'FAILED_PRECONDITION',
    (f) => `The archive ${f.archive} cannot be restored from: ${f.detail}.`,
    () =>
      'Unpack what can be read of it by hand: tar -xpf ARCHIVE --numeric-owner --xattrs --xattrs-include="*" --acls',
  ),
  MIRROR_REFUSED: says(
    'FAILED_PRECONDITION',
    (f) => `Nothing may be deleted at the target: ${f.why}.`,
    () => 'Nothing was changed. Use the mode overwrite, which deletes nothing.',
  ),
  MIRROR_UNCONFIRMED: says(
    'FAILED_PRECONDITION',
    () =>
      `A restore with the mode mirror deletes at the target what the snapshot does not have; it is not confirmed.`,
    (f) => `Look first with a dry run. Then repeat the target as the confirmation: ${f.target}`,
  ),
  SNAPSHOT_IN_USE: says(
    'ABORTED',
    (f) => `Snapshot ${f.snapshot} of host "${f.host}" is being restored (run ${f.run}).`,
    (f) => `Wait for its end: busy logs ${f.run} --follow`,
  ),
} as const satisfies Record<string, Sentence>;
