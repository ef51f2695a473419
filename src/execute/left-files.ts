/**
 * Files that batches of a manifest leave. Those with several names are read once, whatever batches their names are in;
 * large ones are read one after the other, which a disk that has to seek does best.
 */
import type { TreeEntry } from '../core/manifest.js';
import { contentOf, largeBytes, type FileContent, type ReadingTools } from './file-content.js';
import { formatLine } from './manifest-format.js';
import type { ManifestHelpers } from './manifest-helpers.js';
import type { ManifestLines } from './manifest-lines.js';

/** So many hashes of files with several names are remembered, for some 100 MB; what is forgotten is read again. */
const mostRemembered = 500_000;

export class LeftFiles {
  /** By inode. */
  private readonly hashes = new Map<string, string>();
  /** What was read for the entries that come next. */
  private contents = new Map<TreeEntry, FileContent>();

  constructor(
    private readonly tools: ReadingTools,
    private readonly helpers: Pick<ManifestHelpers, 'share'>,
  ) {}

  /** Reads what is not known of the small ones, with the help of other threads. Throws what `check` throws. */
  async read(entries: readonly TreeEntry[]): Promise<void> {
    const unknown = new Map<string, TreeEntry>();
    for (const entry of entries) {
      const { inode, size } = entry;
      const isKnown = this.hashes.has(inode) || unknown.has(inode);
      if (!isKnown && size <= largeBytes) unknown.set(inode, entry);
    }
    const { own, others } = this.helpers.share([...unknown.values()]);
    const told = Promise.all(others.map(({ contents }) => contents));
    // Awaited below; it may fail before.
    told.catch(() => {});
    this.contents = new Map(own.map((entry) => [entry, this.readOne(entry)]));
    const contents = await told;
    others.forEach(({ files }, index) => {
      files.forEach((file, at) => {
        const content = contents[index]?.[at];
        if (content) this.contents.set(file, content);
      });
    });
  }

  /** Adds the line of one of the entries; large files are read now. Throws what `check` throws. */
  add(entry: TreeEntry, lines: ManifestLines): void {
    const before = this.hashes.get(entry.inode);
    if (before !== undefined) {
      this.tools.onProgress({ entries: 0, bytes: entry.size, current: entry.path });
      lines.addKnown(entry, formatLine(entry, before, ''));
      return;
    }
    const content = this.contents.get(entry) ?? this.readOne(entry);
    lines.addFile(entry, content);
    const isToBeKept = content.hash !== '' && entry.links > 1 && this.hashes.size < mostRemembered;
    if (isToBeKept) this.hashes.set(entry.inode, content.hash);
  }

  private readOne(entry: TreeEntry): FileContent {
    this.tools.check();
    return contentOf(entry, this.tools);
  }
}
