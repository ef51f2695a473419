/** Puts a manifest together from the lines of its batches, in their order, and deals with what these left. */
import { showPath } from '../core/byte-path.js';
import type { TreeEntry } from '../core/manifest.js';
import type { ReadingTools } from './file-content.js';
import type { LeftFiles } from './left-files.js';
import {
  ManifestLines,
  mostErrorsSaid,
  noCounts,
  type GatheredLines,
  type LineCounts,
} from './manifest-lines.js';
import type { ManifestWriter } from './manifest-writer.js';
import { walkTree } from './tree-walk.js';

export class ManifestAssembly {
  private readonly lines = new ManifestLines();
  private readonly counts = { ...noCounts };
  private errors = 0;

  constructor(
    private readonly writer: ManifestWriter,
    private readonly tools: ReadingTools,
    private readonly files: LeftFiles,
    /** Hears what cannot be read. */
    private readonly say: (text: string) => void,
  ) {}

  /** The lines of the next batch. Throws what the file system says of the manifest, and what `check` throws. */
  async add(batch: GatheredLines): Promise<void> {
    await this.files.read(batch.parts.filter(isFile));
    for (const part of batch.parts) {
      if (typeof part === 'string') {
        await this.writeLeft();
        await this.write(part);
      } else if (part.type === 'directory') await this.addTree(part);
      else this.addLeft(part);
    }
    await this.writeLeft();
    this.note(batch);
  }

  /** Settles when the manifest is complete. Throws what the file system says. */
  async end(): Promise<LineCounts> {
    await this.writer.end();
    return this.counts;
  }

  /** Leaves the file as far as it is. */
  abandon(): Promise<void> {
    return this.writer.abandon();
  }

  private async addTree(top: TreeEntry): Promise<void> {
    for (const entry of walkTree(this.tools.root, top.path)) {
      this.addLeft(entry);
      await this.writeLeft();
    }
  }

  private addLeft(entry: TreeEntry): void {
    this.tools.check();
    if (entry.type === 'file') this.files.add(entry, this.lines);
    else this.lines.addOther(entry, entry.error);
    this.tools.onProgress({ entries: 1, bytes: 0, current: entry.path });
  }

  private async writeLeft(): Promise<void> {
    const left = this.lines.take();
    for (const part of left.parts) if (typeof part === 'string') await this.write(part);
    this.note(left);
  }

  private async write(lines: string): Promise<void> {
    const wait = this.writer.addLines(lines);
    if (wait) await wait;
  }

  private note({ counts, errors }: GatheredLines): void {
    this.writer.count(counts);
    for (const key of Object.keys(noCounts) as (keyof LineCounts)[]) this.counts[key] += counts[key];
    for (const { path, code } of errors) {
      if (++this.errors <= mostErrorsSaid) this.say(`manifest: ${showPath(path)} cannot be read (${code})`);
    }
  }
}

function isFile(part: string | TreeEntry): part is TreeEntry {
  return typeof part !== 'string' && part.type === 'file';
}
