/** The reasons of deleting and of the trash; a part of the catalogue in `error-sentences.ts`. */
import { says, type Sentence } from './sentence.js';

export const trashSentences = {
  CONFIRMATION_NEEDED: says(
    'FAILED_PRECONDITION',
    (f) => `${f.what}, so it must be confirmed by repeating "${f.word}".`,
    (f) => `Nothing was changed. To do it: --confirm ${f.word} (the field confirm of the request).`,
  ),
  ADMIN_NEEDED: says(
    'PERMISSION_DENIED',
    (f) => `${f.what}, so only the role admin may delete it.`,
    () => 'Nothing was changed. Ask somebody who has that role.',
  ),
  TRASH_ENTRY_NOT_FOUND: says(
    'NOT_FOUND',
    (f) => `There is no "${f.id}" in the trash.`,
    () => 'List what is there with: busy trash',
  ),
  TRASH_NOT_KEPT: says(
    'FAILED_PRECONDITION',
    (f) =>
      `No rule of keep would keep ${f.snapshot} of host "${f.host}": ${f.why}. It would be removed for good.`,
    (f) => `It stays in the trash. Change keep first, or copy what you need out of ${f.path}.`,
  ),
  TRASH_HOST_ARCHIVES: says(
    'ABORTED',
    (f) =>
      `Host "${f.host}" has a run that archives or verifies archives, and until it has ended no archive of it comes back from the trash.`,
    (f) => `Nothing was changed. Wait for its end (busy runs --host ${f.host}), and then do it again.`,
  ),
  TRASH_PLACE_TAKEN: says(
    'ALREADY_EXISTS',
    (f) => `${f.place} is there already, so what is in the trash cannot be put back.`,
    () => 'It stays in the trash. Move away what is in its place, and try again.',
  ),
  TRASH_UNREADABLE: says(
    'FAILED_PRECONDITION',
    (f) => `${f.path} does not say any more what snapshot it was.`,
    () => 'It stays in the trash. Copy what you need out of it.',
  ),
} as const satisfies Record<string, Sentence>;
