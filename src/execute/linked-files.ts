/** Files with several names: each is read once for a manifest, whatever batches its names are in. */
import type { TreeEntry } from '../core/manifest.js';
import { contentOf, type ReadingTools } from './file-content.js';
import { formatLine } from './manifest-format.js';
import type { ManifestLines } from './manifest-lines.js';

/** So many hashes of files with several names are remembered, for some 100 MB; what is forgotten is read again. */
const mostRemembered = 500_000;

export class LinkedFiles {
  /** By inode. */
  private readonly hashes = new Map<string, string>();

  constructor(private readonly tools: ReadingTools) {}

  /** Throws what `check` throws. */
  add(entry: TreeEntry, lines: ManifestLines): void {
    const before = this.hashes.get(entry.inode);
    if (before !== undefined) {
      this.tools.onProgress({ entries: 0, bytes: entry.size, current: entry.path });
      lines.addKnown(entry, formatLine(entry, before, ''));
      return;
    }
    const content = contentOf(entry, this.tools);
    lines.addFile(entry, content);
    const isToBeKept = content.hash !== '' && entry.links > 1 && this.hashes.size < mostRemembered;
    if (isToBeKept) this.hashes.set(entry.inode, content.hash);
  }
}
