/**
 * Chooses what a drill restores: reads the manifest twice, once to draw the sample and once to write down the names.
 * Runs in a thread of its own (`disk-thread.ts`).
 */
import { closeSync, lstatSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, type BytePath } from '../core/byte-path.js';
import { DrillSample, drillSelection } from '../core/drill.js';
import type { ManifestEntry } from '../core/manifest.js';
import type { DiskWorkHooks } from './manifest.js';
import { readManifest } from './manifest-reader.js';
import { diskPath } from './tree-walk.js';

export interface DrillSelectionTask {
  /** The directory of the snapshot. */
  readonly directory: string;
  readonly seed: string;
  readonly sampleSize: number;
  /** Absolute on the host. */
  readonly named: readonly BytePath[];
  /** Gets the chosen paths in the order of the manifest, without the first slash, each with a zero byte behind it. */
  readonly namesFile: string;
}

export interface DrillSelectionReport {
  readonly entries: number;
  /** What restoring it takes at most: holes of sparse files do not count. */
  readonly bytes: number;
  /** Named, but not in the snapshot. */
  readonly absent: readonly BytePath[];
}

/** Throws ManifestUnusable, CANCELLED, and what the file system says. */
export async function selectForDrill(
  { directory, seed, sampleSize, named, namesFile }: DrillSelectionTask,
  hooks: DiskWorkHooks,
): Promise<DrillSelectionReport> {
  const sample = new DrillSample(seed, sampleSize);
  for await (const entry of entriesOf(directory, hooks))
    if (entry.type === 'file' && entry.hash !== '') sample.offer(entry.path);
  const isSelected = drillSelection(sample.paths(), named);
  const root = bytesOf(join(directory, 'data'));
  const absent = new Set(named.filter((path) => path !== '/'));
  const names = openSync(namesFile, 'w', 0o600);
  let entries = 0;
  let bytes = 0;
  let waiting = '';
  const write = (): void => {
    writeSync(names, Buffer.from(waiting, 'latin1'));
    waiting = '';
  };
  try {
    for await (const entry of entriesOf(directory, hooks)) {
      absent.delete(entry.path);
      if (entry.path === '/' || !isSelected(entry.path)) continue;
      entries += 1;
      bytes += spaceOf(root, entry);
      waiting += `${entry.path.slice(1)}\0`;
      if (waiting.length > writtenAtOnce) write();
    }
    write();
  } finally {
    closeSync(names);
  }
  return { entries, bytes, absent: [...absent] };
}

const writtenAtOnce = 256 * 1024;
/** What an entry without content takes, at the least. */
const entryBytes = 4096;

async function* entriesOf(directory: string, hooks: DiskWorkHooks): AsyncGenerator<ManifestEntry> {
  for await (const piece of readManifest(directory)) {
    hooks.check();
    yield* piece;
  }
}

function spaceOf(root: BytePath, { type, size, path }: ManifestEntry): number {
  if (type !== 'file') return entryBytes;
  try {
    return Math.min(size, lstatSync(diskPath(root, path)).blocks * 512) + entryBytes;
  } catch {
    return size + entryBytes;
  }
}
