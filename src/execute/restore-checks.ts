/** What must be in a snapshot before anything of it is restored. */
import { lstatSync, readdirSync } from 'node:fs';
import { showPath, type BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import type { RestoreTask } from '../core/executor-port.js';
import type { RestorePlan } from '../core/restore-plan.js';
import { pathFailure, storedPath } from './stored-path.js';

/**
 * `directory` is, or looks like, that of the snapshot. Throws RESTORE_SOURCE_MISSING, PATH_NOT_FOUND, PATH_REFUSED,
 * SNAPSHOT_REMOVED or MIRROR_REFUSED.
 */
export function requireEntries(
  { wish, snapshot }: RestoreTask,
  { entries }: RestorePlan,
  directory: string,
): void {
  // Those that stand for a path above them, which nobody has named.
  const meant = entries.filter((entry) => !wish.paths.includes(entry));
  const missing = meant.filter((entry) => !isStored(directory, entry));
  if (missing.length > 0) {
    const rest = entries.filter((entry) => !missing.includes(entry));
    const facts = { snapshot, missing: wordsOf(missing), rest: wordsOf(rest) };
    throw new BusyError('RESTORE_SOURCE_MISSING', facts);
  }
  for (const entry of entries) requireStored(directory, entry, wish.mode === 'mirror');
}

function isStored(directory: string, entry: BytePath): boolean {
  try {
    return lstatSync(storedPath(directory, entry), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (error instanceof BusyError && error.reason === 'PATH_NOT_FOUND') return false;
    throw pathFailure(directory, entry, error);
  }
}

function requireStored(directory: string, entry: BytePath, isMirror: boolean): void {
  const place = storedPath(directory, entry);
  try {
    const isDirectory = lstatSync(place).isDirectory();
    if (isMirror && isDirectory && readdirSync(place).length === 0) {
      const why = `"${showPath(entry)}" is empty in the snapshot`;
      throw new BusyError('MIRROR_REFUSED', { why });
    }
  } catch (error) {
    throw pathFailure(directory, entry, error);
  }
}

function wordsOf(entries: readonly BytePath[]): string {
  return entries.map(showPath).join(' ');
}
