/** `busyd audit-verify`: follows the chain of an audit log, also of a copy and without a daemon. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { auditFilesIn, verifyFiles } from './store/audit-log.js';

export interface OfflineVerdict {
  readonly text: string;
  readonly isWhole: boolean;
}

/** `path`: a state directory, or one file of a log. Throws what the system says when it cannot be read. */
export async function verifyAuditFiles(path: string, noted: string): Promise<OfflineVerdict> {
  const isDirectory = (await stat(path)).isDirectory();
  const files = isDirectory ? await auditFilesIn(path) : [join(dirname(path), basename(path))];
  const { broken, lines, head, hasNoted } = await verifyFiles(files, noted);
  if (broken)
    return { text: `BROKEN ${broken.file} line ${broken.line}: ${broken.problem}.\n`, isWhole: false };
  if (noted !== '' && !hasNoted)
    return {
      text: 'BROKEN no line has the noted hash: the end was taken off, or all of it written anew.\n',
      isWhole: false,
    };
  const whole = `The chain of ${lines} lines is whole. Line ${head.sequence} has the hash ${head.hash}\n`;
  return { text: whole, isWhole: true };
}
