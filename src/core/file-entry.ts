/** An entry of a snapshot as it is looked at. Plain data. */
import type { TreeEntry } from './manifest.js';

/** Links are 0 where only a manifest tells; the hash is empty where only the disk does. */
export interface FileEntry extends TreeEntry {
  readonly hash: string;
}
