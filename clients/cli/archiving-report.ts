/** What there is to say of a run that archived, or verified archives, in words for people. */
import { RunKind, type Archiving, type Run } from '../../src/gen/busy/v1/run.js';
import { formatBytes, formatCount } from './human-format.js';
import type { Fact } from './output.js';
import { tookText } from './progress-line.js';

export function archivingFacts(run: Run, archiving: Archiving, now: Date): Fact[] {
  const { archived, removed, expired, entries, contentBytes, archiveBytes } = archiving;
  const isVerification = run.kind === RunKind.VERIFY_ARCHIVE;
  const kept = archived.filter((name) => !removed.includes(name));
  return [
    [isVerification ? 'Verified' : 'Archived', archived.join(', ') || 'nothing'],
    ...(isVerification || kept.length === 0
      ? []
      : [['Kept', `${kept.join(', ')} also on the backup disk; the log says why`] as const]),
    ...(expired.length === 0 ? [] : [['Expired', expired.join(', ')] as const]),
    ['Read back', `${formatCount(entries)} entries, ${formatBytes(contentBytes)}`],
    ['Size', formatBytes(archiveBytes)],
    ['Took', tookText(run, now)],
  ];
}
