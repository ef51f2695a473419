/**
 * The quota of a host: what its snapshots (also those in the trash) and unfinished backups may take up on the backup
 * disk, all together, as `du` counts it: allocated blocks, and each file once however many snapshots share it. Pure.
 */
import { BusyError } from './errors.js';
import { formatBytes, formatCount } from './figures.js';
import type { Host } from './host.js';

type Limits = Pick<Host, 'name' | 'quotaBytes' | 'maxEntries'>;

/** Why a backup must not begin; null: it may. */
export function judgeStart(host: Limits, usedBytes: number): BusyError | null {
  if (usedBytes < host.quotaBytes) return null;
  const detail = `its backups take up ${formatBytes(usedBytes)} already`;
  return exceeded(host, detail, 'Nothing was begun, and nothing was deleted.');
}

/** Why a backup that runs must end; null: it may go on. `addedBytes`: what it has put there. */
export function judgeGrowth(host: Limits, usedBytes: number, addedBytes: number): BusyError | null {
  if (usedBytes + addedBytes <= host.quotaBytes) return null;
  const detail = `this backup would not fit: it had added ${formatBytes(addedBytes)} to ${formatBytes(usedBytes)} when it was stopped`;
  return exceeded(host, detail, 'What this backup had copied is removed, older snapshots are as they were.');
}

/** Why a backup that runs must end; null: it may go on. */
export function judgeEntries({ name, maxEntries }: Limits, entries: number): BusyError | null {
  if (maxEntries === 0 || entries <= maxEntries) return null;
  const facts = { host: name, most: formatCount(maxEntries), found: formatCount(entries) };
  return new BusyError('TOO_MANY_ENTRIES', facts);
}

/** What processes have written, as the system counts it. */
export interface Written {
  readonly bytes: number;
  readonly calls: number;
}

const blockBytes = 4096;

/**
 * The most that can be new on the disk, so that it need not be measured while there is no danger: a call writes into one
 * file, whose last block may be nearly empty, and each new entry may take a block.
 */
export function mostAdded({ bytes, calls }: Written, newInodes: number): number {
  return bytes + blockBytes * (calls + Math.max(0, newInodes));
}

function exceeded({ name, quotaBytes }: Limits, detail: string, done: string): BusyError {
  return new BusyError('QUOTA_EXCEEDED', { host: name, quota: formatBytes(quotaBytes), detail, done });
}
