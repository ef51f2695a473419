/** Reads a manifest as a stream, in bounded memory, and finds out whether it is whole. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { comparePaths, type BytePath } from '../core/byte-path.js';
import type { ManifestEntry, ManifestTotals } from '../core/manifest.js';
import { firstLine, ManifestUnusable, manifestName, parseEnd, parseEntry } from './manifest-format.js';

type ManifestPieces = AsyncGenerator<readonly ManifestEntry[], ManifestTotals, undefined>;
export type ManifestTexts = AsyncGenerator<string, ManifestTotals, undefined>;

/** What a manifest that was not read to its end is said to count. */
export const noTotals: ManifestTotals = { entries: 0, files: 0, bytes: 0, unreadable: 0 };

/**
 * The entries of a snapshot's manifest, in pieces. Throws ManifestUnusable when it is cut off or damaged, at the
 * latest after the last piece; and what the file system says. Answers the totals.
 */
export function readManifest(snapshot: string): ManifestPieces {
  return readManifestFile(join(snapshot, manifestName));
}

/** The same of a manifest by its file, for example that beside an archive. */
export async function* readManifestFile(file: string): ManifestPieces {
  const texts = readManifestText(file);
  try {
    for (;;) {
      const { value, done } = await texts.next();
      if (done === true) return value;
      yield value.slice(0, -1).split('\n').map(parseEntry);
    }
  } finally {
    await texts.return(noTotals);
  }
}

/**
 * The same, as it stands: each piece is some lines, with their line ends, that no one has looked into. Only the first
 * and the last line are not among them.
 */
export async function* readManifestText(file: string): ManifestTexts {
  const source = createReadStream(file);
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  source.on('error', (error) => gunzip.destroy(error));
  const sum = createHash('sha256');
  let rest = '';
  let totals: ManifestTotals | null = null;
  let isFirst = true;
  let entries = 0;
  try {
    for await (const chunk of source.pipe(gunzip) as AsyncIterable<Buffer>) {
      const all = rest + chunk.toString('latin1');
      let text = all.slice(0, all.lastIndexOf('\n') + 1);
      rest = all.slice(text.length);
      if (totals) throw new ManifestUnusable('something follows its last line');
      if (text === '') continue;
      if (isFirst) {
        if (!text.startsWith(`${firstLine}\n`))
          throw new ManifestUnusable(`it begins with ${text.slice(0, Math.min(40, text.indexOf('\n')))}`);
        text = text.slice(firstLine.length + 1);
        sum.update(`${firstLine}\n`);
        isFirst = false;
      }
      const end = parseEnd(text.slice(text.lastIndexOf('\n', text.length - 2) + 1, -1));
      if (end) text = text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1);
      sum.update(Buffer.from(text, 'latin1'));
      entries += countLines(text);
      if (text !== '') yield text;
      if (!end) continue;
      if (sum.digest('hex') !== end.sum || entries !== end.totals.entries)
        throw new ManifestUnusable('what it says of itself at its end is not true');
      ({ totals } = end);
    }
  } catch (error) {
    throw isDamage(error) ? new ManifestUnusable(`it is damaged: ${(error as Error).message}`) : error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
  if (!totals || rest !== '') throw new ManifestUnusable('it is cut off');
  return totals;
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/** zlib's own codes begin with Z_. */
function isDamage(error: unknown): boolean {
  return ((error as NodeJS.ErrnoException).code ?? '').startsWith('Z_');
}

/** Walks along a manifest in step with something else that has the same order. */
export class ManifestCursor {
  private readonly pieces: ManifestPieces;
  private piece: readonly ManifestEntry[] = [];
  private at = 0;
  private hasEnded = false;

  /** `manifest`: of a directory of a snapshot, or a file. */
  constructor(manifest: string | { readonly file: string }) {
    this.pieces = typeof manifest === 'string' ? readManifest(manifest) : readManifestFile(manifest.file);
  }

  /** The next entry without going on; null at the end. Throws as `readManifest`. */
  async peek(): Promise<ManifestEntry | null> {
    while (this.at >= this.piece.length && !this.hasEnded) await this.readOn();
    return this.piece[this.at] ?? null;
  }

  /** Leaves behind what `peek` answered. */
  skip(): void {
    this.at += 1;
  }

  /** Goes on to a path and answers its entry, or null when there is none. */
  async seek(path: BytePath): Promise<ManifestEntry | null> {
    for (;;) {
      while (this.at < this.piece.length) {
        const entry = this.piece[this.at];
        const order = entry ? comparePaths(entry.path, path) : -1;
        if (entry && order === 0) return entry;
        if (order > 0) return null;
        this.at += 1;
      }
      if (this.hasEnded) return null;
      await this.readOn();
    }
  }

  /** Reads to the end, so that it is known to be whole. Throws as `readManifest`. */
  async finish(): Promise<void> {
    while (!this.hasEnded) await this.readOn();
  }

  async close(): Promise<void> {
    this.hasEnded = true;
    await this.pieces.return(noTotals);
  }

  private async readOn(): Promise<void> {
    const { value, done } = await this.pieces.next();
    this.piece = done === true ? [] : value;
    this.at = 0;
    this.hasEnded = done === true;
  }
}
