/** Looks for what is to be downloaded, before anything is sent. Runs in a thread of its own (`disk-thread.ts`). */
import { lstatSync, readdirSync } from 'node:fs';
import type { BytePath } from '../core/byte-path.js';
import { damagedShown, isAmong } from '../core/download.js';
import { notFound, pathFailure, storedPath } from './stored-path.js';
import { readVerification } from './snapshot-verification.js';

export interface DownloadLookTask {
  /** The directory of the snapshot. */
  readonly directory: string;
  /** None of them below another. */
  readonly paths: readonly BytePath[];
}

export interface DownloadLookReport {
  /** The size of the one file that was asked for; null when it is no regular file, or one of several paths. */
  readonly fileBytes: number | null;
  /** What a tarball is made of, relative to the data. */
  readonly names: readonly BytePath[];
  readonly damagedFileCount: number;
  readonly damagedPaths: readonly BytePath[];
}

/** Throws what `storedPath` throws. */
export async function lookForDownload({ directory, paths }: DownloadLookTask): Promise<DownloadLookReport> {
  const sizes = paths.map((path) => sizeOf(directory, path));
  const wanted = new Set(paths);
  const { damaged } = await readVerification(directory);
  const found = damaged.filter(({ path }) => isAmong(wanted, path)).map(({ path }) => path);
  return {
    fileBytes: sizes.length === 1 ? (sizes[0] ?? null) : null,
    names: paths.flatMap((path) => namesOf(directory, path)),
    damagedFileCount: found.length,
    damagedPaths: found.slice(0, damagedShown),
  };
}

/** Null when it is no regular file. */
function sizeOf(snapshot: string, path: BytePath): number | null {
  const place = storedPath(snapshot, path);
  try {
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (!stats) throw notFound(snapshot, path);
    return stats.isFile() ? stats.size : null;
  } catch (error) {
    throw pathFailure(snapshot, path, error);
  }
}

/** The data itself is no directory of the host, so what is in it stands for it. */
function namesOf(snapshot: string, path: BytePath): BytePath[] {
  if (path !== '/') return [path.slice(1)];
  try {
    return readdirSync(storedPath(snapshot, '/'), { encoding: 'latin1' }).sort();
  } catch (error) {
    throw pathFailure(snapshot, path, error);
  }
}
