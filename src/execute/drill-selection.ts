/**
 * Chooses what a drill restores: reads the manifest twice, once to draw the sample and once to write down the names.
 * Runs in a thread of its own (`disk-thread.ts`).
 */
import { closeSync, lstatSync, openSync, writeSync } from 'node:fs';
import { bytesOf, type BytePath } from '../core/byte-path.js';
import { isAmong } from '../core/download.js';
import { DrillSample, drillSelection } from '../core/drill.js';
import type { ManifestEntry } from '../core/manifest.js';
import type { DiskWorkHooks } from './manifest.js';
import { readManifestFile } from './manifest-reader.js';
import { diskPath } from './tree-walk.js';

export interface DrillSelectionTask {
  /** The manifest of the snapshot. */
  readonly manifest: string;
  /** The directory with its files; null when they are in an archive. */
  readonly data: string | null;
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
  /** Of the entries those that bring all others: with all that is below them. `/` is all. */
  readonly members: readonly BytePath[];
  /** The directories above these, highest first. */
  readonly parents: readonly BytePath[];
}

/** Throws ManifestUnusable, CANCELLED, and what the file system says. */
export async function selectForDrill(
  { manifest, data, seed, sampleSize, named, namesFile }: DrillSelectionTask,
  hooks: DiskWorkHooks,
): Promise<DrillSelectionReport> {
  const sample = new DrillSample(seed, sampleSize);
  for await (const entry of entriesOf(manifest, hooks))
    if (entry.type === 'file' && entry.hash !== '') sample.offer(entry.path);
  const isSelected = drillSelection(sample.paths(), named);
  const wanted = new Set([...sample.paths(), ...named]);
  const parents: BytePath[] = [];
  const root = data === null ? null : bytesOf(data);
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
    for await (const entry of entriesOf(manifest, hooks)) {
      absent.delete(entry.path);
      if (entry.path === '/' || !isSelected(entry.path)) continue;
      entries += 1;
      bytes += spaceOf(root, entry);
      if (!isAmong(wanted, entry.path)) parents.push(entry.path);
      waiting += `${entry.path.slice(1)}\0`;
      if (waiting.length > writtenAtOnce) write();
    }
    write();
  } finally {
    closeSync(names);
  }
  const members = [...wanted].filter((path) => !absent.has(path));
  return { entries, bytes, absent: [...absent], members, parents };
}

const writtenAtOnce = 256 * 1024;
/** What an entry without content takes, at the least. */
const entryBytes = 4096;

async function* entriesOf(manifest: string, hooks: DiskWorkHooks): AsyncGenerator<ManifestEntry> {
  for await (const piece of readManifestFile(manifest)) {
    hooks.check();
    yield* piece;
  }
}

function spaceOf(root: BytePath | null, { type, size, path }: ManifestEntry): number {
  if (type !== 'file') return entryBytes;
  if (root === null) return size + entryBytes;
  try {
    return Math.min(size, lstatSync(diskPath(root, path)).blocks * 512) + entryBytes;
  } catch {
    return size + entryBytes;
  }
}
