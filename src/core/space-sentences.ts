/** The reasons of too little space; a part of the catalogue in `error-sentences.ts`. */
import { says } from './sentence.js';

export const spaceSentences = {
  DISK_FULL: says(
    'FAILED_PRECONDITION',
    (f) => `The backup disk is full: ${f.detail}.`,
    () => 'Free space below backupdir. No snapshot was harmed; the next backup goes on from what was copied.',
  ),
  DISK_SPACE_LOW: says(
    'FAILED_PRECONDITION',
    (f) => `The disk of ${f.backupdir} has too little space for a backup of host "${f.host}": ${f.detail}.`,
    (f) =>
      `Nothing was begun, and ${f.expiry}. Free space, or let keep remove more: busy space ${f.host} says what each snapshot would free. Or lower min_free.`,
  ),
  QUOTA_EXCEEDED: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" may take up ${f.quota} on the backup disk (quota), and ${f.detail}.`,
    (f) =>
      `${f.done} Raise quota, exclude what need not be kept, or remove snapshots: busy space ${f.host} says what each would free. Those in the trash count until it is emptied.`,
  ),
  TOO_MANY_ENTRIES: says(
    'FAILED_PRECONDITION',
    (f) =>
      `Host "${f.host}" has more than ${f.most} files and directories to back up (max_entries); ${f.found} were met.`,
    () =>
      'What this backup had copied is removed, older snapshots are as they were. Exclude what need not be kept, or raise max_entries.',
  ),
} as const;
