/**
 * Makes the manifest of a snapshot that is about to be committed. What is the same file as in a snapshot before keeps
 * the hash that it has there, so an incremental reads only what is new in it; and no file is read twice.
 */
import { lstatSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf, showPath, type BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import { isSameFile, type ManifestTotals, type TreeEntry } from '../core/manifest.js';
import { hashFile } from './file-hash.js';
import { HashedFiles } from './hashed-files.js';
import { ManifestUnusable, manifestName } from './manifest-format.js';
import { ManifestCursor } from './manifest-reader.js';
import { ManifestWriter } from './manifest-writer.js';
import { codeOf, diskPath, walkTree } from './tree-walk.js';

export interface ManifestTask {
  /** The partial snapshot. */
  readonly directory: string;
  /** Another tree than the data of the snapshot, and where its manifest is to be written. */
  readonly other?: { readonly root: string; readonly file: string };
  /** Snapshots whose files may be linked into it, best first. */
  readonly bases: readonly string[];
  /** Files that were hashed while they were copied, as `HashedFiles` shares them. */
  readonly ahead?: SharedArrayBuffer | null;
}

export interface ManifestReport extends ManifestTotals {
  /** What was hashed; the other files were known from a snapshot before. */
  readonly hashedFiles: number;
  readonly hashedBytes: number;
  /** How many of these files had been hashed ahead. */
  readonly aheadFiles: number;
}

/** What long work on a disk is told, and tells. */
export interface DiskWorkHooks {
  /** Throws when the work was cancelled. */
  readonly check: () => void;
  /** A line for the log of the run. */
  readonly say: (text: string) => void;
  /** So many entries and bytes have been dealt with. */
  readonly onProgress: (done: { entries: number; bytes: number; current: BytePath }) => void;
}

/** Throws what the file system says, and what `hooks.check` throws; no manifest is left then. */
export async function makeManifest(task: ManifestTask, hooks: DiskWorkHooks): Promise<ManifestReport> {
  const file = task.other?.file ?? join(task.directory, manifestName);
  let { bases } = task;
  for (;;) {
    try {
      return await attempt(file, { ...task, bases }, hooks);
    } catch (error) {
      await rm(file, { force: true });
      if (!(error instanceof BaseUnusable)) throw error;
      // What it told until then is void too.
      hooks.say(
        `the manifest of ${error.base} cannot be used, so its files are read again: ${error.message}`,
      );
      bases = bases.filter((base) => base !== error.base);
    }
  }
}

/** So many hashes of files with several names are remembered, for some 100 MB; what is forgotten is read again. */
const mostRemembered = 500_000;
const mostErrorsSaid = 100;

async function attempt(
  file: string,
  { directory, bases, other, ahead }: ManifestTask,
  hooks: DiskWorkHooks,
): Promise<ManifestReport> {
  const root = bytesOf(other?.root ?? join(directory, 'data'));
  const known = await KnownHashes.open(bases, root);
  const writer = new ManifestWriter(file);
  const seen = new Map<string, string>();
  const hashedAhead = ahead ? HashedFiles.fromShared(ahead) : null;
  const hashed = { files: 0, bytes: 0, ahead: 0, errors: 0 };
  let isComplete = false;
  const remember = ({ links, inode }: TreeEntry, hash: string, bytes: number): void => {
    hashed.files += 1;
    hashed.bytes += bytes;
    if (links > 1 && seen.size < mostRemembered) seen.set(inode, hash);
  };
  const hashOf = async (entry: TreeEntry): Promise<{ hash: string; error: string }> => {
    const before = (await known.find(entry)) ?? seen.get(entry.inode);
    const early = before === undefined ? hashedAhead?.find(entry) : undefined;
    const hash = before ?? early;
    if (hash !== undefined) {
      hooks.onProgress({ entries: 0, bytes: entry.size, current: entry.path });
      if (early !== undefined) {
        hashed.ahead += 1;
        remember(entry, early, entry.size);
      }
      return { hash, error: '' };
    }
    try {
      const read = hashFile(diskPath(root, entry.path), (bytes) => {
        hooks.check();
        hooks.onProgress({ entries: 0, bytes, current: entry.path });
      });
      remember(entry, read.hash, read.bytes);
      return { hash: read.hash, error: '' };
    } catch (error) {
      if (error instanceof BusyError) throw error;
      return { hash: '', error: codeOf(error) };
    }
  };
  try {
    for (const entry of walkTree(root)) {
      hooks.check();
      const content = entry.type === 'file' ? await hashOf(entry) : { hash: '', error: entry.error };
      if (content.error !== '' && ++hashed.errors <= mostErrorsSaid)
        hooks.say(`manifest: ${showPath(entry.path)} cannot be read (${content.error})`);
      const wait = writer.add({ ...entry, ...content });
      hooks.onProgress({ entries: 1, bytes: 0, current: entry.path });
      if (wait) await wait;
    }
    await known.finish();
    const totals = await writer.end();
    isComplete = true;
    return { ...totals, hashedFiles: hashed.files, hashedBytes: hashed.bytes, aheadFiles: hashed.ahead };
  } finally {
    await known.close();
    if (!isComplete) await writer.abandon();
  }
}

class BaseUnusable extends Error {
  constructor(
    readonly base: string,
    cause: Error,
  ) {
    super(cause.message, { cause });
  }
}

interface Base {
  readonly snapshot: string;
  readonly cursor: ManifestCursor;
}

/** The hashes that the manifests of link bases tell, asked for in the order of a manifest. */
class KnownHashes {
  private constructor(private readonly bases: readonly Base[]) {}

  /** Bases without a manifest know nothing. `root` is that of the tree whose files are asked for. */
  static async open(snapshots: readonly string[], root: BytePath): Promise<KnownHashes> {
    const bases: Base[] = [];
    try {
      for (const snapshot of snapshots) {
        const base = { snapshot, cursor: new ManifestCursor(snapshot) };
        bases.push(base);
        if (await hasTrueInodes(base, root)) continue;
        bases.pop();
        await base.cursor.close();
      }
      return new KnownHashes(bases);
    } catch (error) {
      await new KnownHashes(bases).close();
      throw error;
    }
  }

  /** Throws BaseUnusable. */
  async find(entry: TreeEntry): Promise<string | undefined> {
    for (const base of this.bases) {
      const before = await trusting(base, () => base.cursor.seek(entry.path));
      if (before && before.hash !== '' && isSameFile(before, entry)) return before.hash;
    }
    return undefined;
  }

  /** Throws BaseUnusable when one of them was not whole. */
  async finish(): Promise<void> {
    for (const base of this.bases) await trusting(base, () => base.cursor.finish());
  }

  async close(): Promise<void> {
    for (const { cursor } of this.bases) await cursor.close();
  }
}

/**
 * The numbers of inodes mean something as long as the store has not been moved to another file system: then that of
 * the top directory has changed too.
 */
async function hasTrueInodes(base: Base, root: BytePath): Promise<boolean> {
  try {
    const top = await trusting(base, () => base.cursor.peek());
    const here = lstatSync(diskPath(root, '/'), { bigint: true });
    const there = lstatSync(join(base.snapshot, 'data'), { bigint: true });
    return top?.path === '/' && top.inode === String(there.ino) && here.dev === there.dev;
  } catch (error) {
    if (error instanceof BaseUnusable) throw error;
    return false;
  }
}

async function trusting<T>(base: Base, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ManifestUnusable) throw new BaseUnusable(base.snapshot, error);
    throw error;
  }
}
