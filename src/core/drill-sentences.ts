/** The reasons of restore drills; a part of the catalogue in `error-sentences.ts`. */
import { says, type Sentence } from './sentence.js';

export const drillSentences = {
  DRILL_FAILED: says(
    'FAILED_PRECONDITION',
    (f) => `What was restored from snapshot ${f.snapshot} of host "${f.host}" is not as it was: ${f.found}.`,
    (f) =>
      `See the list in the run and its log. Verify the snapshots (busy verify ${f.host}) and check the backup disk; drill the same files again with: busy drill ${f.host} --repeat RUN`,
  ),
  DRILL_BROKEN: says(
    'FAILED_PRECONDITION',
    (f) => `Snapshot ${f.snapshot} of host "${f.host}" could not be restored: ${f.detail}.`,
    () => 'See the log of the run, and check the backup disk.',
  ),
  DRILL_NO_ROOM: says(
    'FAILED_PRECONDITION',
    (f) =>
      `A drill of host "${f.host}" has no room on the disk of ${f.backupdir}: it needs ${f.needed}, and ${f.free} may be used.`,
    () => 'Lower drill_sample, name less in drill_paths, or make room; min_free stays free.',
  ),
  NOTHING_TO_DRILL: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" has no good snapshot with a manifest, so there is nothing to drill.`,
    (f) => `Make one with: busy backup ${f.host}`,
  ),
  DRILL_NOT_REPEATABLE: says(
    'INVALID_ARGUMENT',
    (f) => `Run ${f.run} is no drill of host "${f.host}", so it cannot be repeated.`,
    (f) => `List the runs of the host with: busy runs --host ${f.host}`,
  ),
} as const satisfies Record<string, Sentence>;
