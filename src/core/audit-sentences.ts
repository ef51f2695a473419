/** The reasons of the audit log; a part of the catalogue in `error-sentences.ts`. */
import { says, type Sentence } from './sentence.js';

export const auditSentences = {
  AUDIT_UNAVAILABLE: says(
    'UNAVAILABLE',
    (f) => `${f.call} changes something, and the audit log ${f.file} cannot be written: ${f.detail}.`,
    () => 'Nothing was changed. Make room there, or give the daemon the right to write, and call again.',
  ),
} as const satisfies Record<string, Sentence>;
