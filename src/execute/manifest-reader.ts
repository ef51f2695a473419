/** Reads a manifest as a stream, in bounded memory, and finds out whether it is whole. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { comparePaths, type BytePath } from '../core/byte-path.js';
import type { ManifestEntry, ManifestTotals } from '../core/manifest.js';
import { firstLine, ManifestUnusable, manifestName, parseEnd, parseEntry } from './manifest-format.js';

type ManifestPieces = AsyncGenerator<readonly ManifestEntry[], ManifestTotals, undefined>;

/**
 * The entries of a snapshot's manifest, in pieces. Throws ManifestUnusable when it is cut off or damaged, at the
 * latest after the last piece; and what the file system says. Answers the totals.
 */
export function readManifest(snapshot: string): ManifestPieces {
  return readManifestFile(join(snapshot, manifestName));
}

/** The same of a manifest by its file, for example that beside an archive. */
export async function* readManifestFile(file: string): ManifestPieces {
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
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      if (totals) throw new ManifestUnusable('something follows its last line');
      const last = lines.at(-1);
      const end = last === undefined ? null : parseEnd(last);
      if (end) lines.pop();
      if (isFirst && lines.length > 0) {
        if (lines[0] !== firstLine) throw new ManifestUnusable(`it begins with ${lines[0]?.slice(0, 40)}`);
        isFirst = false;
        sum.update(`${lines.shift()}\n`);
      }
      if (lines.length > 0) sum.update(Buffer.from(`${lines.join('\n')}\n`, 'latin1'));
      const piece = lines.map(parseEntry);
      entries += piece.length;
      if (piece.length > 0) yield piece;
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
    await this.pieces.return({ entries: 0, files: 0, bytes: 0, unreadable: 0 });
  }

  private async readOn(): Promise<void> {
    const { value, done } = await this.pieces.next();
    this.piece = done === true ? [] : value;
    this.at = 0;
    this.hasEnded = done === true;
  }
}
