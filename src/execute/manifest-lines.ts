/** Gathers lines of a manifest, counts what they tell, and keeps a place for what is to be dealt with later. */
import type { BytePath } from '../core/byte-path.js';
import type { ManifestTotals, TreeEntry } from '../core/manifest.js';
import type { FileContent } from './file-content.js';
import { formatLine } from './manifest-format.js';

/** Plain data. */
export interface GatheredLines {
  /** Lines with their line ends, and between them, in their place, what was left. */
  readonly parts: readonly (string | TreeEntry)[];
  /** Of the lines only. */
  readonly counts: LineCounts;
  /** What could not be read: the first `mostErrorsSaid` of them. */
  readonly errors: readonly UnreadEntry[];
}

export interface UnreadEntry {
  readonly path: BytePath;
  /** A code such as EACCES. */
  readonly code: string;
}

export interface LineCounts extends ManifestTotals {
  /** What was hashed; the other files were known from a snapshot before. */
  readonly hashedFiles: number;
  readonly hashedBytes: number;
  /** How many of these files had been hashed ahead. */
  readonly aheadFiles: number;
}

export const mostErrorsSaid = 100;

export const noCounts = {
  entries: 0,
  files: 0,
  bytes: 0,
  unreadable: 0,
  hashedFiles: 0,
  hashedBytes: 0,
  aheadFiles: 0,
} satisfies LineCounts;

export class ManifestLines {
  private lines: string[] = [];
  private parts: (string | TreeEntry)[] = [];
  private counts = { ...noCounts };
  private errors: UnreadEntry[] = [];

  /** A file whose line is known. */
  addKnown(entry: TreeEntry, line: string): void {
    this.counts.files += 1;
    this.counts.bytes += entry.size;
    this.push(line);
  }

  addFile(entry: TreeEntry, content: FileContent): void {
    const { hash, error } = content;
    this.addKnown(entry, formatLine(entry, hash, error));
    if (hash === '') {
      this.counts.unreadable += 1;
      this.noteError(entry.path, error);
      return;
    }
    this.counts.hashedFiles += 1;
    this.counts.hashedBytes += content.bytes;
    if (content.isAhead) this.counts.aheadFiles += 1;
  }

  /** What has no content. */
  addOther(entry: TreeEntry, error: string): void {
    if (error !== '') this.noteError(entry.path, error);
    this.push(formatLine(entry, '', error));
  }

  leave(entry: TreeEntry): void {
    this.endPart();
    this.parts.push(entry);
  }

  /** All since the last time. */
  take(): GatheredLines {
    this.endPart();
    const { parts, counts, errors } = this;
    this.parts = [];
    this.counts = { ...noCounts };
    this.errors = [];
    return { parts, counts, errors };
  }

  private push(line: string): void {
    this.lines.push(line);
    this.counts.entries += 1;
  }

  private endPart(): void {
    if (this.lines.length > 0) this.parts.push(`${this.lines.join('\n')}\n`);
    this.lines = [];
  }

  private noteError(path: BytePath, code: string): void {
    if (this.errors.length < mostErrorsSaid) this.errors.push({ path, code });
  }
}
