/** How an entry differs between two snapshots. Pure. */
import type { FileEntry } from './file-entry.js';

/** The first three are about what is in it, the others only about what is said of it. */
export type ChangeKind = 'type' | 'content' | 'target' | 'mode' | 'owner' | 'mtime';

/** Whether the content of two regular files is the same. */
export type ContentVerdict = 'same' | 'differs' | 'unknown';

/**
 * Judges by what is known without reading. `sharesInodes`: both were seen on the disk just now, so that one inode is
 * one file. What has the same size and time counts as the same where no hash says otherwise, as it does for rsync.
 */
export function judgeContent(before: FileEntry, after: FileEntry, sharesInodes: boolean): ContentVerdict {
  if (before.size !== after.size) return 'differs';
  if (before.hash !== '' && after.hash !== '') return before.hash === after.hash ? 'same' : 'differs';
  if (sharesInodes && before.inode === after.inode) return 'same';
  return before.mtimeNs === after.mtimeNs ? 'same' : 'unknown';
}

/**
 * What differs, the weightiest first; empty when nothing does. The time of a directory says only that something in it
 * came or went, so it is not compared.
 */
export function changesBetween(
  before: FileEntry,
  after: FileEntry,
  hasSameContent: boolean,
): readonly ChangeKind[] {
  if (before.type === 'unknown' || after.type === 'unknown')
    return before.type === after.type ? [] : ['type'];
  if (before.type !== after.type) return ['type'];
  return [
    ...(before.type === 'file' && !hasSameContent ? (['content'] as const) : []),
    ...(before.target !== after.target ? (['target'] as const) : []),
    ...(before.mode !== after.mode ? (['mode'] as const) : []),
    ...(before.uid !== after.uid || before.gid !== after.gid ? (['owner'] as const) : []),
    ...(before.mtimeNs !== after.mtimeNs && before.type !== 'directory' ? (['mtime'] as const) : []),
  ];
}

export function isOnlyMetadata(changes: readonly ChangeKind[]): boolean {
  return !changes.some((change) => change === 'type' || change === 'content' || change === 'target');
}
