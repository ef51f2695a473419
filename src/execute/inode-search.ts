/** Finds the names that certain files have in a snapshot. Runs in a thread of its own (`disk-thread.ts`). */
import { join } from 'node:path';
import { bytesOf, type BytePath } from '../core/byte-path.js';
import type { DiskWorkHooks } from './manifest.js';
import { walkTree } from './tree-walk.js';

export interface SearchTask {
  /** A snapshot, partial or not. */
  readonly directory: string;
  readonly inodes: readonly string[];
}

export interface SearchReport {
  readonly paths: readonly BytePath[];
}

/** Throws what `hooks.check` throws. */
export function searchInodes(
  { directory, inodes }: SearchTask,
  { check }: DiskWorkHooks,
): Promise<SearchReport> {
  const wanted = new Set(inodes);
  const paths: BytePath[] = [];
  for (const { type, inode, path } of walkTree(bytesOf(join(directory, 'data')))) {
    check();
    if (type === 'file' && wanted.has(inode)) paths.push(path);
  }
  return Promise.resolve({ paths });
}
