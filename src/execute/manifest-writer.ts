/** Writes a manifest, entry after entry, in bounded memory. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { TransformOptions } from 'node:stream';
import { finished } from 'node:stream/promises';
import { constants, createGzip, type ZlibOptions } from 'node:zlib';
import type { ManifestEntry, ManifestTotals } from '../core/manifest.js';
import { firstLine, formatEnd, formatEntry } from './manifest-format.js';

/** Lines that are handed on together. While they wait, they take several times as much of the heap. */
const pieceBytes = 32 * 1024;

/** What waits to be compressed, which another thread does, holds nobody up unless it is so much. */
const gzipOptions: ZlibOptions & Pick<TransformOptions, 'writableHighWaterMark'> = {
  level: constants.Z_BEST_SPEED,
  chunkSize: 64 * 1024,
  writableHighWaterMark: 256 * 1024,
};

export class ManifestWriter {
  private readonly gzip = createGzip(gzipOptions);
  private readonly sum = createHash('sha256');
  private readonly written: Promise<void>;
  private text = `${firstLine}\n`;
  private entries = 0;
  private files = 0;
  private bytes = 0;
  private unreadable = 0;

  /** `file` must not exist. */
  constructor(file: string) {
    const output = createWriteStream(file, { flags: 'wx', mode: 0o644 });
    this.written = finished(output);
    // Told by `add` and `end`.
    this.written.catch((error: unknown) => this.gzip.destroy(error as Error));
    this.gzip.on('error', (error) => output.destroy(error));
    this.gzip.pipe(output);
  }

  /** Entries must come in the order of a manifest. Answers what to wait for, when that is needed. */
  add(entry: ManifestEntry): Promise<void> | null {
    this.text += `${formatEntry(entry)}\n`;
    this.entries += 1;
    if (entry.type === 'file') {
      this.files += 1;
      this.bytes += entry.size;
      if (entry.hash === '') this.unreadable += 1;
    }
    return this.text.length < pieceBytes ? null : this.handOn();
  }

  /** The same of lines that are ready, with their line ends; `count` counts what they tell. */
  addLines(lines: string): Promise<void> | null {
    this.text += lines;
    return this.text.length < pieceBytes ? null : this.handOn();
  }

  count({ entries, files, bytes, unreadable }: ManifestTotals): void {
    this.entries += entries;
    this.files += files;
    this.bytes += bytes;
    this.unreadable += unreadable;
  }

  /** Writes the last line; settles when the file is complete. Throws what the file system says. */
  async end(): Promise<ManifestTotals> {
    await this.handOn();
    const { entries, files, bytes, unreadable } = this;
    const totals = { entries, files, bytes, unreadable };
    this.gzip.end(`${formatEnd(totals, this.sum.digest('hex'))}\n`);
    await this.written;
    return totals;
  }

  /** Leaves the file as far as it is. */
  async abandon(): Promise<void> {
    this.gzip.destroy(new Error('abandoned'));
    await this.written.catch(() => {});
  }

  private async handOn(): Promise<void> {
    const piece = Buffer.from(this.text, 'latin1');
    this.text = '';
    this.sum.update(piece);
    if (this.gzip.destroyed) return this.written;
    // A failure of the file ends the wait too.
    if (!this.gzip.write(piece)) await Promise.race([once(this.gzip, 'drain'), this.written]);
  }
}
