/** What the findings of a verification mean, and how they are told. Pure. */
import { BusyError } from './errors.js';
import { counted, formatBytes, formatCount } from './figures.js';
import { isDamage } from './manifest.js';
import type { FoundDifference, VerificationRecord } from './verification.js';

/** SNAPSHOT_DAMAGED, SNAPSHOT_CHANGED, or null when all is as it was. */
export function failureOfVerification(host: string, record: VerificationRecord): BusyError | null {
  const { differences, differenceCount, damagedFileCount } = record;
  if (damagedFileCount > 0) {
    const first = differences.find(({ kind }) => isDamage(kind));
    return new BusyError('SNAPSHOT_DAMAGED', {
      host,
      found: counted(damagedFileCount, 'damaged or missing file'),
      first: placeOf(first),
    });
  }
  if (differenceCount === 0) return null;
  return new BusyError('SNAPSHOT_CHANGED', {
    host,
    found: counted(differenceCount, 'difference'),
    first: placeOf(differences[0]),
  });
}

/** The end of a verification, for its log. */
export function describeVerification(record: VerificationRecord): string[] {
  const { snapshots, unverifiable, entries, filesRead, bytesRead, differenceCount, damagedFileCount } =
    record;
  return [
    ...unverifiable.map((name) => `${name}: has no manifest, so it cannot be verified`),
    `compared ${formatCount(entries)} entries of ${counted(snapshots.length, 'snapshot')}, ` +
      `read ${counted(filesRead, 'file')} (${formatBytes(bytesRead)}): ` +
      `${counted(differenceCount, 'difference')}, ${counted(damagedFileCount, 'file')} damaged or missing`,
  ];
}

function placeOf(difference: FoundDifference | undefined): string {
  return difference ? `${difference.path} in ${difference.snapshot} (${difference.kind})` : 'see the log';
}
