/**
 * Finds what a new snapshot has of files that are known to be damaged: the links to them, and the copies that rsync made
 * of them on the server because owner, mode or the like had changed. Runs in a thread of its own (`disk-thread.ts`).
 */
import { join } from 'node:path';
import { bytesOf, type BytePath } from '../core/byte-path.js';
import type { TreeEntry } from '../core/manifest.js';
import type { DiskWorkHooks } from './manifest.js';
import { lookAt, walkTree } from './tree-walk.js';

/** A damaged file of a snapshot. */
export interface DamagedPlace {
  /** The directory of the snapshot. */
  readonly snapshot: string;
  readonly path: BytePath;
  readonly inode: string;
}

export interface SearchTask {
  /** A snapshot, partial or not. */
  readonly directory: string;
  readonly damaged: readonly DamagedPlace[];
  /** The directories of the snapshots that were link bases. */
  readonly bases: readonly string[];
}

export interface SearchReport {
  readonly paths: readonly BytePath[];
}

/** Throws what `hooks.check` throws. */
export function searchDamaged(task: SearchTask, { check }: DiskWorkHooks): Promise<SearchReport> {
  const wanted = new Set(task.damaged.map(({ inode }) => inode));
  for (const inode of copiedInodes(task)) wanted.add(inode);
  const paths: BytePath[] = [];
  for (const { type, inode, path } of walkTree(dataOf(task.directory))) {
    check();
    if (type === 'file' && wanted.has(inode)) paths.push(path);
  }
  return Promise.resolve({ paths });
}

/**
 * The inodes of what may be copies of damaged files of the link bases: rsync takes one whose size and time are as they
 * should be for the content that the host has.
 */
function* copiedInodes({ directory, damaged, bases }: SearchTask): Generator<string> {
  const roots = bases.map(dataOf);
  for (const { snapshot, path } of damaged) {
    if (!bases.includes(snapshot)) continue;
    const was = lookAt(dataOf(snapshot), path);
    const now = lookAt(dataOf(directory), path);
    // A link into a base is no copy; if that one is damaged too, its inode is known.
    const isLink = roots.some((root) => lookAt(root, path)?.inode === now?.inode);
    if (was && now && !isLink && looksUnchanged(was, now)) yield now.inode;
  }
}

function looksUnchanged(was: TreeEntry, now: TreeEntry): boolean {
  return now.type === 'file' && was.type === 'file' && was.size === now.size && was.mtimeNs === now.mtimeNs;
}

function dataOf(snapshot: string): BytePath {
  return bytesOf(join(snapshot, 'data'));
}
