/** The reasons of downloads; a part of the catalogue in `error-sentences.ts`. */
import { says, type Sentence } from './sentence.js';

export const downloadSentences = {
  DOWNLOAD_NOT_ONE_FILE: says(
    'INVALID_ARGUMENT',
    (f) => `"${f.path}" is not sent as it is: ${f.problem}.`,
    () => 'Ask for a tarball (tar or tar.gz).',
  ),
  DOWNLOAD_BROKEN: says(
    'ABORTED',
    (f) => `The download from snapshot ${f.snapshot} broke off: ${f.detail}.`,
    () =>
      'What has arrived is not whole: do not use it. Verify the snapshot (busy verify), check the backup disk, and download again.',
  ),
  DOWNLOAD_STALLED: says(
    'ABORTED',
    (f) =>
      `The download from snapshot ${f.snapshot} was ended: nothing of it was taken for ${f.seconds} seconds.`,
    () =>
      'What has arrived is not whole: do not use it. Download again, to where it is taken without long pauses.',
  ),
  TOO_MANY_DOWNLOADS: says(
    'RESOURCE_EXHAUSTED',
    (f) => `There are ${f.count} downloads already, and no more at once.`,
    () => 'Try again when one of them has ended.',
  ),
} as const satisfies Record<string, Sentence>;
