/** What there is to say of a run that verified snapshots, in words for people. */
import type { Run, Verification } from '../../src/gen/busy/v1/run.js';
import { formatBytes, formatCount } from './human-format.js';
import type { Fact, Printer } from './output.js';
import { tookText } from './progress-line.js';
import { differenceCell } from './states.js';

export function verificationFacts(run: Run, now: Date): Fact[] {
  const { verification } = run;
  if (verification === undefined) return [['Took', tookText(run, now)]];
  const { snapshots, unverifiable, entries, filesRead, bytesRead, damagedFileCount, differenceCount } =
    verification;
  return [
    ['Snapshots', `${formatCount(snapshots.length)} compared${withoutManifest(unverifiable)}`],
    ['Entries', formatCount(entries)],
    ['Read', `${formatCount(filesRead)} files, ${formatBytes(bytesRead)}`],
    ['Damaged', `${formatCount(damagedFileCount)} files`],
    ['Differences', formatCount(differenceCount)],
    ['Took', tookText(run, now)],
  ];
}

/** The differences, at most so many. */
export function printDifferences(
  printer: Printer,
  verification: Pick<Verification, 'differences' | 'differenceCount'>,
  limit: number,
): void {
  const { differences, differenceCount } = verification;
  if (differenceCount === 0) return;
  const shown = differences.slice(0, limit);
  printer.line('');
  if (shown.length > 0) {
    printer.table(
      ['SNAPSHOT', 'DIFFERS', 'PATH', 'DETAIL'],
      shown.map(({ snapshot, kind, path, detail }) => [snapshot, differenceCell(kind), path, detail]),
      '',
    );
  }
  const more = differenceCount - shown.length;
  if (more > 0) printer.line(`and ${formatCount(more)} more, see the log of the run`);
}

function withoutManifest(names: readonly string[]): string {
  return names.length === 0 ? '' : `; without a manifest, so not verifiable: ${names.join(', ')}`;
}
