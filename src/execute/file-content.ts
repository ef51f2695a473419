/** What is in a file of a snapshot, as far as its manifest tells it. */
import type { BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import type { TreeEntry } from '../core/manifest.js';
import { hashFile } from './file-hash.js';
import type { SharedHashes } from './shared-hashes.js';
import { codeOf, diskPath } from './tree-walk.js';

/** A file of more bytes is large. */
export const largeBytes = 2 ** 20;

export interface FileContent {
  /** SHA-256 in hex; empty when it could not be read. */
  readonly hash: string;
  /** Why it could not be read (a code such as EACCES); else empty. */
  readonly error: string;
  /** How many bytes were hashed for it. */
  readonly bytes: number;
  /** They had been hashed before the manifest was begun. */
  readonly isAhead: boolean;
}

/** What files are read with. */
export interface ReadingTools {
  /** The top of the tree. */
  readonly root: BytePath;
  readonly ahead: SharedHashes | null;
  /** Throws when the work was cancelled. */
  readonly check: () => void;
  /** So many entries and bytes have been dealt with. */
  readonly onProgress: (done: { entries: number; bytes: number; current: BytePath }) => void;
}

/** Tells the progress of the bytes, not that of the entry. Throws what `check` throws, nothing else. */
export function contentOf(entry: TreeEntry, { root, ahead, check, onProgress }: ReadingTools): FileContent {
  const early = ahead?.find(entry);
  if (early !== undefined) {
    onProgress({ entries: 0, bytes: entry.size, current: entry.path });
    return { hash: early, error: '', bytes: entry.size, isAhead: true };
  }
  try {
    const { hash, bytes } = hashFile(diskPath(root, entry.path), (count) => {
      check();
      onProgress({ entries: 0, bytes: count, current: entry.path });
    });
    return { hash, error: '', bytes, isAhead: false };
  } catch (error) {
    if (error instanceof BusyError) throw error;
    return { hash: '', error: codeOf(error), bytes: 0, isAhead: false };
  }
}
