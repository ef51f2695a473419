/**
 * Unpacks archives of the original BUSY, and of its snapshots: in these a source directory lies under its path with
 * another character for each slash. What is unpacked is put where a snapshot of ours has it, below `data`.
 */
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf, showPath, textOf, type BytePath } from '../core/byte-path.js';
import { isIn } from '../core/restore-plan.js';
import { extractMembers, type Extraction } from './archive-extraction.js';
import type { Unpacked } from './archive-unpack.js';
import { workOnDisk } from './disk-thread.js';
import type { OriginalSource } from './original-choice.js';
import { readSnapshotJson } from './snapshot-json.js';
import { storedPath } from './stored-path.js';
import { diskPath } from './tree-walk.js';

export interface OriginalUnpacking extends Extraction {
  /** The source directories of the host now. */
  readonly srcdirs: readonly string[];
  /** Absolute on the host, or as they lie in the snapshot (`/_etc_ssh/...`); `/` is all. */
  readonly paths: readonly BytePath[];
}

export interface UnpackedOriginal extends Unpacked {
  /** Those that were asked for, absolute on the host. */
  readonly paths: readonly BytePath[];
  /** The source directories of the snapshot. */
  readonly sources: readonly string[];
}

/** Throws as `unpackArchive`. */
export async function unpackOriginal(
  unpacking: OriginalUnpacking,
  signal: AbortSignal,
): Promise<UnpackedOriginal> {
  const { archive, scratch, srcdirs, paths } = unpacking;
  const { path, format, name } = archive;
  const task = { archive: path, format, snapshot: name, srcdirs, paths };
  const options = { signal, isIdle: false, say: () => {}, onProgress: () => {} };
  const { top, hasData, sources, members, ...chosen } = await workOnDisk('original choice', task, options);
  const json = hasData ? [`${top}/snapshot.json`] : [];
  const losses = await extractMembers(unpacking, { ...chosen, members: [...members, ...json] }, signal);
  const directory = join(scratch, textOf(top) ?? name);
  if (!hasData) await arrange(directory, sources);
  const known = sources.map((one) => textOf(one.path) ?? showPath(one.path));
  const told = hasData ? await readSnapshotJson(directory).catch(() => null) : null;
  return { directory, losses, paths: chosen.paths, sources: told?.sources ?? known };
}

/**
 * The highest first: what a source directory holds of another one is there then. Nothing is made or moved through what was
 * unpacked but directories.
 */
async function arrange(directory: string, sources: readonly OriginalSource[]): Promise<void> {
  const data = join(directory, 'data');
  const done: BytePath[] = [];
  await mkdir(data);
  for (const { name, path } of [...sources].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const isNested = done.some((other) => isIn(path, other));
    done.push(path);
    if (isNested && !isReachable(directory, path)) continue;
    if (!isNested) await mkdir(diskPath(bytesOf(data), parentOf(path)), { recursive: true });
    const from = diskPath(bytesOf(directory), `/${name}`);
    await rename(from, diskPath(bytesOf(data), path)).catch(unlessThere);
  }
}

function isReachable(directory: string, path: BytePath): boolean {
  try {
    storedPath(directory, path);
    return true;
  } catch {
    return false;
  }
}

function parentOf(path: BytePath): BytePath {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** What was not asked for was not unpacked; what is there twice stays as it came first. */
function unlessThere(error: NodeJS.ErrnoException): void {
  if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(error.code ?? '')) throw error;
}
