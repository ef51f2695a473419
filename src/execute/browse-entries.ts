/**
 * The entries of a snapshot in the order of a manifest, in pieces: from its manifest, which is one file, or else from
 * the disk. In memory is one piece. Runs in a thread of its own (`browse-thread.ts`).
 */
import type { BrowseSource } from '../core/browse.js';
import type { FileEntry } from '../core/file-entry.js';
import { comparePaths, type BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import type { ManifestEntry } from '../core/manifest.js';
import { ManifestUnusable } from './manifest-format.js';
import { readManifestFile } from './manifest-reader.js';
import { dataRoot, storedPath } from './stored-path.js';
import { codeOf, walkTree } from './tree-walk.js';

const entriesAtOnce = 1000;

export type EntryPieces = AsyncGenerator<readonly FileEntry[]>;

/**
 * What is at `path` and below it, itself first; nothing when it is not there. A manifest that turns out to be damaged
 * is left, and the disk is asked for the rest. Throws SNAPSHOT_REMOVED, PATH_REFUSED, PATH_UNREADABLE, ARCHIVE_UNLISTED.
 */
export async function* entriesOf(source: BrowseSource, path: BytePath): EntryPieces {
  let last: BytePath | null = null;
  if (source.manifest !== null) {
    try {
      for await (const piece of readManifestFile(source.manifest)) {
        const within = partWithin(piece, path);
        if (within.length > 0) yield within;
        last = within.at(-1)?.path ?? last;
        const end = piece.at(-1);
        if (end && comparePaths(end.path, path) > 0 && !isWithin(end.path, path)) return;
      }
      return;
    } catch (error) {
      const isOfManifest = error instanceof ManifestUnusable || error instanceof Error;
      if (!isOfManifest || error instanceof BusyError) throw error;
      if (source.directory === null) throw unlisted(source, error);
    }
  }
  if (source.directory === null) throw unlisted(source, new Error('it has no manifest beside it'));
  yield* walked(source.directory, path, last);
}

/** Whether an entry is at or below a path. */
export function isWithin(entry: BytePath, path: BytePath): boolean {
  return path === '/' || entry === path || (entry.startsWith(path) && entry[path.length] === '/');
}

function partWithin(piece: readonly ManifestEntry[], path: BytePath): readonly FileEntry[] {
  const part = path === '/' ? piece : piece.filter((entry) => isWithin(entry.path, path));
  // In place: a million copies are no small thing.
  return part.map((entry) => Object.assign(entry, { links: 0 }));
}

async function* walked(snapshot: string, path: BytePath, after: BytePath | null): EntryPieces {
  const root = dataRoot(snapshot);
  storedPath(snapshot, path);
  let piece: FileEntry[] = [];
  for (const entry of walkTree(root, path)) {
    if (after !== null && comparePaths(entry.path, after) <= 0) continue;
    piece.push({ ...entry, hash: '' });
    if (piece.length < entriesAtOnce) continue;
    yield piece;
    piece = [];
  }
  // What is removed meanwhile looks like an early end.
  refuseRemoved(snapshot);
  if (piece.length > 0) yield piece;
}

/** Throws SNAPSHOT_REMOVED when the snapshot was taken away while it was looked at. */
export function refuseRemoved(snapshot: string): void {
  try {
    dataRoot(snapshot);
  } catch (error) {
    if (!(error instanceof BusyError)) throw error;
    throw new BusyError(error.reason, { ...error.facts, when: ' any more' }, { cause: error });
  }
}

function unlisted({ snapshot }: BrowseSource, error: Error): BusyError {
  const detail = error instanceof ManifestUnusable ? error.message : `${codeOf(error)}: ${error.message}`;
  return new BusyError('ARCHIVE_UNLISTED', { snapshot, detail }, { cause: error });
}

/** Goes along the entries in step with something else. */
export class EntryCursor {
  private piece: readonly FileEntry[] = [];
  private at = 0;
  private hasEnded = false;

  constructor(private readonly pieces: EntryPieces) {}

  /** Whether `current` has to be waited for with `fill`. */
  get isEmpty(): boolean {
    return this.at >= this.piece.length && !this.hasEnded;
  }

  /** Null at the end. */
  get current(): FileEntry | null {
    return this.piece[this.at] ?? null;
  }

  skip(): void {
    this.at += 1;
  }

  /** Throws as `entriesOf`. */
  async fill(): Promise<void> {
    while (this.isEmpty) {
      const { value, done } = await this.pieces.next();
      this.piece = done === true ? [] : value;
      this.at = 0;
      this.hasEnded = done === true;
    }
  }
}
