/** The reasons that there are where a host is made known. */
import { says, type Sentence } from './sentence.js';

export const enrollmentSentences = {
  HOST_KEY_NOT_SHOWN: says(
    'ABORTED',
    (f) =>
      `Host "${f.host}" at ${f.address} shows the key ${f.shown}, not ${f.fingerprint}. Nothing was pinned.`,
    () =>
      'Compare the fingerprint on the host once more. If it is really another one, something answers in its place.',
  ),
  HOST_KEY_PINNED: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" has the pinned key ${f.pinned}, and shows ${f.shown}. Nothing was changed.`,
    (f) =>
      `Find out why the key has changed. If the host was installed anew: busy enroll ${f.host} --replace-key`,
  ),
  HOST_KEY_IN_FILE: says(
    'FAILED_PRECONDITION',
    (f) => `The configuration file ${f.file} pins the key ${f.pinned} for host "${f.host}".`,
    (f) => `Take its line host_key out, or correct it, then: busy reload. After that: busy enroll ${f.host}`,
  ),
} as const satisfies Record<string, Sentence>;
