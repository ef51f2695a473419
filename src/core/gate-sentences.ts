/** The reasons of the source gate and of link health; a part of the catalogue in `error-sentences.ts`. */
import { says } from './sentence.js';

export const gateSentences = {
  SNAPSHOT_NOT_HELD: says(
    'FAILED_PRECONDITION',
    (f) => `Snapshot "${f.snapshot}" of host "${f.host}" is not held, so there is nothing to acknowledge.`,
    (f) => `List its snapshots with: busy snapshots ${f.host}`,
  ),
  SNAPSHOT_HELD: says(
    'FAILED_PRECONDITION',
    (f) => `The snapshot ${f.snapshot} of host "${f.host}" is held, and nothing older is removed: ${f.why}.`,
    (f) =>
      `Look at the host. If all is as it should be there: busy acknowledge ${f.host} ${f.snapshot} --yes; else mend it: the next backup links to the last good snapshot.`,
  ),
  MASS_METADATA_CHANGE: says(
    'FAILED_PRECONDITION',
    (f) =>
      `${f.files} of ${f.allFiles} files (${f.share}) below ${f.source} of host "${f.host}" differ from the last snapshot in owner, mode or time alone, for example ${f.example}. They cannot be links, so some ${f.bytes} would be copied once more.`,
    (f) =>
      `If that is meant (a chown -R, a restore): busy backup ${f.host} --accept-changes. Else mend it there. What was copied is removed again, and all snapshots are as they were.`,
  ),
} as const;
