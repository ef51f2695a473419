/**
 * Compares snapshots with their manifests, reading what they hold. A content that several names or snapshots share is
 * read once. Runs in a thread of its own (`disk-thread.ts`).
 */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOf, comparePaths, showPath, type BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import {
  attributeDifferences,
  isDamage,
  type Difference,
  type DifferenceKind,
  type ManifestEntry,
  type TreeEntry,
} from '../core/manifest.js';
import { partOf } from '../core/scrub.js';
import { differencesKept, type FoundDifference } from '../core/verification.js';
import { hashFile } from './file-hash.js';
import type { DiskWorkHooks } from './manifest.js';
import { ManifestUnusable, manifestName } from './manifest-format.js';
import { ManifestCursor } from './manifest-reader.js';
import { codeOf, diskPath, isAbsent, lookAt, walkTree } from './tree-walk.js';

export interface ComparisonTask {
  readonly snapshots: readonly SnapshotToCompare[];
  /** Only entries of these parts (`core/scrub.ts`) are looked at; null: all, and what there should not be. */
  readonly parts: readonly number[] | null;
}

export interface SnapshotToCompare {
  readonly name: string;
  readonly directory: string;
  /** It had one once, so its absence is damage. */
  readonly mustHaveManifest: boolean;
}

/** A file whose content is lost. */
export interface DamagedFile {
  readonly path: BytePath;
  /** Empty when it is missing. */
  readonly inode: string;
  readonly kind: DifferenceKind;
  readonly part: number;
}

export interface ComparedSnapshot {
  readonly name: string;
  /** `no manifest`: nothing to compare with. `gone`: it was removed meanwhile, or its disk is not mounted. */
  readonly state: 'compared' | 'no manifest' | 'gone' | 'cancelled';
  /** The first `mostDamaged` of them. */
  readonly damaged: readonly DamagedFile[];
  readonly damagedCount: number;
}

export interface ComparisonReport {
  readonly snapshots: readonly ComparedSnapshot[];
  readonly entries: number;
  readonly filesRead: number;
  readonly bytesRead: number;
  /** The first `differencesKept` of them. */
  readonly differences: readonly FoundDifference[];
  readonly differenceCount: number;
}

export const mostDamaged = 10_000;
/** What is forgotten is read again; these take some 100 MB. */
const mostRemembered = 1_000_000;
/** More are counted, but the log does not name them. */
const mostSaid = 100_000;

/**
 * Whatever is wrong with the disk is a difference, never an exception. When `hooks.check` throws CANCELLED the answer
 * has what was found until then.
 */
export async function compareSnapshots(
  { snapshots, parts }: ComparisonTask,
  hooks: DiskWorkHooks,
): Promise<ComparisonReport> {
  const comparison = new Comparison(parts, hooks);
  const compared: ComparedSnapshot[] = [];
  for (const snapshot of snapshots) {
    const next = await comparison.compare(snapshot);
    compared.push(next);
    if (next.state === 'cancelled') break;
  }
  return { snapshots: compared, ...comparison.totals };
}

class Gone extends Error {}

class Comparison {
  readonly totals = {
    entries: 0,
    filesRead: 0,
    bytesRead: 0,
    differences: [] as FoundDifference[],
    differenceCount: 0,
  };
  private readonly parts: ReadonlySet<number> | null;
  /** What was read, by inode. */
  private readonly read = new Map<string, string>();
  private snapshot = { name: '', directory: '', mustHaveManifest: false, inode: '' };
  private root: BytePath = '';
  private damaged: DamagedFile[] = [];
  private damagedCount = 0;

  constructor(
    parts: readonly number[] | null,
    private readonly hooks: DiskWorkHooks,
  ) {
    this.parts = parts && new Set(parts);
  }

  async compare(snapshot: SnapshotToCompare): Promise<ComparedSnapshot> {
    const { name, directory } = snapshot;
    this.snapshot = { ...snapshot, inode: inodeOf(directory) };
    this.root = bytesOf(join(directory, 'data'));
    this.damaged = [];
    this.damagedCount = 0;
    const cursor = new ManifestCursor(directory);
    try {
      const state = await this.compareAll(cursor);
      return { name, state, damaged: this.damaged, damagedCount: this.damagedCount };
    } finally {
      await cursor.close();
    }
  }

  private async compareAll(cursor: ManifestCursor): Promise<ComparedSnapshot['state']> {
    if (this.snapshot.inode === '') return 'gone';
    try {
      if (this.parts) await this.compareParts(cursor);
      else await this.compareTree(cursor);
      return 'compared';
    } catch (error) {
      if (error instanceof Gone) return 'gone';
      if (error instanceof BusyError && error.reason === 'CANCELLED') return 'cancelled';
      const isUnreadable = !(error instanceof ManifestUnusable);
      if (isUnreadable && !('code' in (error as Error))) throw error;
      if (inodeOf(this.snapshot.directory) !== this.snapshot.inode) return 'gone';
      const isAbsentNow = isUnreadable && isAbsent(codeOf(error));
      if (isAbsentNow && !this.snapshot.mustHaveManifest) return 'no manifest';
      const detail = isAbsentNow ? 'it is not there any more' : (error as Error).message;
      this.found({ kind: 'manifest', path: `/${manifestName}`, detail }, '', 0);
      return 'compared';
    }
  }

  /** Both are in the same order, so one step through each is enough. */
  private async compareTree(cursor: ManifestCursor): Promise<void> {
    await cursor.peek();
    for (const found of walkTree(this.root)) {
      this.hooks.check();
      let expected = await cursor.peek();
      while (expected && comparePaths(expected.path, found.path) < 0) {
        this.foundMissing(expected);
        cursor.skip();
        expected = await cursor.peek();
      }
      if (expected?.path !== found.path) {
        this.found({ kind: 'extra', path: found.path, detail: `a ${found.type} that was not there` }, '', 0);
        continue;
      }
      cursor.skip();
      this.compareEntry(expected, found);
      if (found.type === 'directory' && found.error !== '') await skipBelow(cursor, found.path);
    }
    for (let left = await cursor.peek(); left; left = await cursor.peek()) {
      this.hooks.check();
      this.foundMissing(left);
      cursor.skip();
    }
  }

  private async compareParts(cursor: ManifestCursor): Promise<void> {
    for (let entry = await cursor.peek(); entry; entry = await cursor.peek()) {
      cursor.skip();
      if (this.parts?.has(partOf(entry)) !== true) continue;
      this.hooks.check();
      const found = lookAt(this.root, entry.path);
      if (found) this.compareEntry(entry, found);
      else this.foundMissing(entry);
    }
  }

  private compareEntry(expected: ManifestEntry, found: TreeEntry): void {
    this.totals.entries += 1;
    const differences = attributeDifferences(expected, found);
    for (const difference of differences) this.found(difference, found.inode, partOf(expected));
    // A content that can be told to be another one by its size need not be read.
    const isHopeless = differences.some(({ kind }) => isDamage(kind));
    if (expected.type === 'file' && expected.hash !== '' && !isHopeless) this.compareContent(expected, found);
    else this.hooks.onProgress({ entries: 1, bytes: found.size, current: found.path });
  }

  private compareContent(expected: ManifestEntry, found: TreeEntry): void {
    const { path } = found;
    if (this.read.get(found.inode) === expected.hash) {
      this.hooks.onProgress({ entries: 1, bytes: found.size, current: path });
      return;
    }
    try {
      const { hash, bytes } = hashFile(diskPath(this.root, path), (count) => {
        this.hooks.check();
        this.hooks.onProgress({ entries: 0, bytes: count, current: path });
      });
      this.totals.filesRead += 1;
      this.totals.bytesRead += bytes;
      if (found.links > 1 && this.read.size < mostRemembered) this.read.set(found.inode, hash);
      this.hooks.onProgress({ entries: 1, bytes: 0, current: path });
      if (hash === expected.hash) return;
      const detail = `its hash was ${expected.hash}, is ${hash}`;
      this.found({ kind: 'content', path, detail }, found.inode, partOf(expected));
    } catch (error) {
      if (error instanceof BusyError) throw error;
      const code = codeOf(error);
      if (isAbsent(code)) this.foundMissing(expected);
      else this.found({ kind: 'unreadable', path, detail: code }, found.inode, partOf(expected));
    }
  }

  private foundMissing(expected: ManifestEntry): void {
    const detail = `a ${expected.type} of ${expected.size} bytes is not there any more`;
    this.found({ kind: 'missing', path: expected.path, detail }, '', partOf(expected));
  }

  /** Throws Gone when the whole snapshot is not there any more: then nothing that it lacks means anything. */
  private found(difference: Difference, inode: string, part: number): void {
    const { name, directory } = this.snapshot;
    if (inodeOf(directory) !== this.snapshot.inode) throw new Gone();
    const { kind, path, detail } = difference;
    const shown = { snapshot: name, kind, path: showPath(path), detail };
    this.totals.differenceCount += 1;
    if (this.totals.differences.length < differencesKept) this.totals.differences.push(shown);
    if (this.totals.differenceCount <= mostSaid) this.hooks.say(`${name}: ${kind}: ${shown.path}: ${detail}`);
    // All that is wrong with one file comes together.
    if (!isDamage(kind) || this.damaged.at(-1)?.path === path) return;
    this.damagedCount += 1;
    if (this.damaged.length < mostDamaged) this.damaged.push({ path, inode, kind, part });
  }
}

async function skipBelow(cursor: ManifestCursor, path: BytePath): Promise<void> {
  const prefix = path === '/' ? '/' : `${path}/`;
  while ((await cursor.peek())?.path.startsWith(prefix) === true) cursor.skip();
}

/** Empty when it is not there. */
function inodeOf(directory: string): string {
  try {
    return String(lstatSync(directory, { bigint: true }).ino);
  } catch {
    return '';
  }
}
