/** The reasons of verifications; a part of the catalogue in `error-sentences.ts`. */
import { says, type Sentence } from './sentence.js';

export const verificationSentences = {
  SNAPSHOT_DAMAGED: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" has ${f.found} in its snapshots, the first: ${f.first}.`,
    () =>
      'See the list in the run and its log. Check the backup disk (smartctl, the system log). The next backup stores afresh what the host still has; restore these files from another snapshot only after comparing.',
  ),
  SNAPSHOT_CHANGED: says(
    'FAILED_PRECONDITION',
    (f) =>
      `All contents in snapshots of host "${f.host}" are whole, but not all else is as it was: ${f.found}, the first: ${f.first}.`,
    () => 'See the list in the run and its log. Somebody or something has worked in the snapshots.',
  ),
  SNAPSHOT_UNVERIFIABLE: says(
    'FAILED_PRECONDITION',
    (f) =>
      `Snapshot ${f.snapshot} of host "${f.host}" has no manifest, so there is nothing to compare it with.`,
    () => 'Snapshots that are made from now on have one.',
  ),
  NOTHING_TO_VERIFY: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" has no snapshots, so there is nothing to verify.`,
    (f) => `Make one with: busy backup ${f.host}`,
  ),
  CANCELLED_FOR_SCRIPT: says(
    'ABORTED',
    (f) => `The verification of host "${f.host}" was stopped, since post-backup may unmount its disk.`,
    () => 'A scrub is begun again by itself. Verify by hand when no backup runs.',
  ),
} as const satisfies Record<string, Sentence>;
