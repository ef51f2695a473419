/** Compares what a drill has restored with the manifest. Runs in a thread of its own (`disk-thread.ts`). */
import { closeSync, openSync, readSync } from 'node:fs';
import { bytesOf, showPath, type BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import { attributeDifferences, isDamage, type Difference, type ManifestEntry } from '../core/manifest.js';
import { differencesKept, type FoundDifference } from '../core/verification.js';
import { hashFile } from './file-hash.js';
import type { DiskWorkHooks } from './manifest.js';
import { ManifestCursor } from './manifest-reader.js';
import { codeOf, diskPath, isAbsent, lookAt } from './tree-walk.js';

export interface DrillComparisonTask {
  /** The manifest of the snapshot. */
  readonly manifest: string;
  /** Its name. */
  readonly snapshot: string;
  /** What was to be restored, as `selectForDrill` has written it. */
  readonly namesFile: string;
  /** Where it was restored to. */
  readonly restored: string;
}

export interface DrillComparisonReport {
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
  /** The first `differencesKept` of them. */
  readonly differences: readonly FoundDifference[];
  readonly differenceCount: number;
}

/** Throws ManifestUnusable, CANCELLED, and what the file system says of the names. */
export async function compareRestored(
  task: DrillComparisonTask,
  hooks: DiskWorkHooks,
): Promise<DrillComparisonReport> {
  const { snapshot, namesFile, restored } = task;
  const root = bytesOf(restored);
  const found = { entries: 0, files: 0, bytes: 0, differences: [] as FoundDifference[], differenceCount: 0 };
  const note = ({ kind, path, detail }: Difference): void => {
    const shown = { snapshot, kind, path: showPath(path), detail };
    found.differenceCount += 1;
    if (found.differences.length < differencesKept) found.differences.push(shown);
    if (found.differenceCount <= differencesKept) hooks.say(`${kind}: ${shown.path}: ${detail}`);
  };
  const cursor = new ManifestCursor({ file: task.manifest });
  try {
    for (const path of readNames(namesFile)) {
      hooks.check();
      const expected = await cursor.seek(path);
      if (!expected) throw new Error(`"${showPath(path)}" was chosen from the manifest and is not in it`);
      found.entries += 1;
      if (expected.type === 'file') {
        found.files += 1;
        found.bytes += expected.size;
      }
      for (const difference of differencesOf(root, expected, hooks)) note(difference);
      hooks.onProgress({ entries: 1, bytes: 0, current: path });
    }
  } finally {
    await cursor.close();
  }
  return found;
}

function differencesOf(root: BytePath, expected: ManifestEntry, hooks: DiskWorkHooks): Difference[] {
  const { path, type, size, hash } = expected;
  // A socket means nothing without the program that made it, and no archive holds one.
  const found = lookAt(root, path);
  if (!found) {
    if (type === 'socket' || type === 'unknown') return [];
    return [{ kind: 'missing', path, detail: `a ${type} of ${size} bytes did not come back` }];
  }
  const differences = attributeDifferences(expected, found);
  if (type !== 'file' || hash === '' || differences.some(({ kind }) => isDamage(kind))) return differences;
  try {
    const read = hashFile(diskPath(root, path), (bytes) => {
      hooks.check();
      hooks.onProgress({ entries: 0, bytes, current: path });
    });
    if (read.hash === hash) return differences;
    return [...differences, { kind: 'content', path, detail: `its hash was ${hash}, is ${read.hash}` }];
  } catch (error) {
    if (error instanceof BusyError) throw error;
    const code = codeOf(error);
    return [...differences, { kind: isAbsent(code) ? 'missing' : 'unreadable', path, detail: code }];
  }
}

/** With their first slash. */
function* readNames(file: string): Generator<BytePath> {
  const handle = openSync(file, 'r');
  const buffer = Buffer.allocUnsafe(256 * 1024);
  let rest = '';
  try {
    for (;;) {
      const count = readSync(handle, buffer);
      if (count === 0) return;
      const names = (rest + buffer.toString('latin1', 0, count)).split('\0');
      rest = names.pop() ?? '';
      for (const name of names) yield `/${name}`;
    }
  } finally {
    closeSync(handle);
  }
}
