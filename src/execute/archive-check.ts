/**
 * Reads a tarball back in full and compares it with a manifest, in step, since both are in the same order. What the
 * manifest has must be there, as it was; links must lead to what they are links of. Runs in a thread of its own
 * (`disk-thread.ts`). Extended attributes and ACLs are in no manifest, so they are not compared.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ArchiveFormat } from '../core/archive.js';
import { bytesOf, comparePaths, showPath, type BytePath } from '../core/byte-path.js';
import { attributeDifferences, type ManifestEntry, type TreeEntry } from '../core/manifest.js';
import { openTarball, zstdDamage } from './archive-stream.js';
import { hashFile } from './file-hash.js';
import type { DiskWorkHooks } from './manifest.js';
import { HashThreads } from './hash-threads.js';
import { ManifestUnusable } from './manifest-format.js';
import { ManifestCursor, readManifestFile } from './manifest-reader.js';
import { TarReader, type TarEntry } from './tar-reader.js';
import { TarUnusable } from './tar-unusable.js';

export interface ArchiveCheckTask {
  readonly tarball: string;
  readonly format: ArchiveFormat;
  readonly manifest: string;
  /** The name of the snapshot: the first part of all paths. */
  readonly name: string;
  readonly root: 'data' | 'snapshot';
  /** The directory of the snapshot while it is there, to compare what lies beside its data; else null. */
  readonly snapshot: string | null;
}

export interface ArchiveCheckReport {
  readonly sha256: string;
  readonly bytes: number;
  readonly entries: number;
  readonly contentBytes: number;
  /** Sockets, which no tarball can hold. */
  readonly sockets: number;
  /** How many things are wrong, and the first of them, in plain words. */
  readonly wrongCount: number;
  readonly firstWrong: string;
}

const mostSaid = 100;
/** What is smaller is hashed sooner than it is sent to another thread. */
const hashedApartBytes = 1024 * 1024;

/**
 * What is wrong with the tarball or the manifest is in the report. Throws what `hooks.check` throws, and what keeps it from
 * being read: then nothing is known of it.
 */
export async function checkArchive(
  task: ArchiveCheckTask,
  hooks: DiskWorkHooks,
): Promise<ArchiveCheckReport> {
  const check = new ArchiveCheck(task, hooks);
  return check.run();
}

class ArchiveCheck {
  private entries = 0;
  private contentBytes = 0;
  private sockets = 0;
  private wrongCount = 0;
  private firstWrong = '';
  /** Inodes that several entries have; these are links of each other. */
  private shared: ReadonlySet<number> = new Set();
  /** The first entry of each of these, by its path in the tarball. */
  private readonly linked = new Map<BytePath, ManifestEntry>();
  private readonly prefix: BytePath;
  private beside = new Map<string, string>();
  private readonly cursor: ManifestCursor;
  private readonly threads = new HashThreads(true);
  /** What is still hashed by these; never rejected. */
  private readonly open = new Set<Promise<void>>();
  private threadFailure: unknown = null;

  constructor(
    private readonly task: ArchiveCheckTask,
    private readonly hooks: DiskWorkHooks,
  ) {
    this.prefix = bytesOf(task.root === 'data' ? `${task.name}/data` : task.name);
    this.cursor = new ManifestCursor({ file: task.manifest });
  }

  async run(): Promise<ArchiveCheckReport> {
    // Before anything is open, and what it throws tells nothing of the tarball.
    this.beside = besideData(this.task, this.hooks.check);
    const fileHash = this.threads.begin();
    let bytes = 0;
    const stream = openTarball(this.task.tarball, this.task.format, (chunk) => {
      bytes += chunk.length;
      // What is read waits for what is decompressed of it, so it needs no waiting of its own.
      void fileHash.update(chunk)?.catch(() => {});
    });
    let sha256 = '';
    try {
      this.shared = await sharedInodes(this.task.manifest, this.hooks.check);
      const reader = new TarReader(stream.pieces);
      for (let entry = await reader.next(); entry; entry = await reader.next()) {
        this.hooks.check();
        await this.compare(entry, reader);
      }
      sha256 = await fileHash.digest();
      await Promise.all(this.open);
      if (this.threadFailure !== null) throw this.threadFailure;
      await this.compareRest();
    } catch (error) {
      const isOfManifest = error instanceof ManifestUnusable;
      if (!isOfManifest && !(error instanceof TarUnusable) && !isDamageOfStream(error)) throw error;
      const what = isOfManifest ? 'its manifest cannot be used' : 'the tarball cannot be read to its end';
      this.wrong(`${what}: ${(error as Error).message}`);
    } finally {
      // Whatever becomes of one, the others are closed; and what was found out stays true.
      await Promise.allSettled([this.cursor.close(), stream.close(), this.threads.close()]);
    }
    return {
      sha256,
      bytes,
      entries: this.entries,
      contentBytes: this.contentBytes,
      sockets: this.sockets,
      wrongCount: this.wrongCount,
      firstWrong: this.firstWrong,
    };
  }

  private async compare(found: TarEntry, reader: TarReader): Promise<void> {
    const path = this.pathOnHost(found.path);
    if (path === null) return this.compareBeside(found, reader);
    let expected = await this.cursor.peek();
    while (expected && comparePaths(expected.path, path) < 0) {
      this.missing(expected);
      this.cursor.skip();
      expected = await this.cursor.peek();
    }
    if (expected?.path !== path) return this.wrong(`${showPath(path)} is not in the manifest`);
    this.cursor.skip();
    this.entries += 1;
    if (found.type === 'link') this.compareLink(expected, found);
    else await this.compareEntry(expected, { ...found, type: found.type }, reader);
    this.hooks.onProgress({ entries: 1, bytes: 0, current: path });
  }

  private async compareEntry(
    expected: ManifestEntry,
    found: TarEntry & { type: TreeEntry['type'] },
    reader: TarReader,
  ): Promise<void> {
    const { path } = expected;
    const tree: TreeEntry = { ...found, path, inode: expected.inode, links: 1, error: '' };
    for (const { kind, detail } of attributeDifferences(expected, tree))
      this.wrong(`${showPath(path)}: ${kind} ${detail}`);
    if (expected.error !== '') this.wrong(`${showPath(path)} could not be read (${expected.error})`);
    if (this.shared.has(Number(expected.inode)) && !this.linked.has(found.path))
      this.linked.set(found.path, expected);
    if (found.type !== 'file') return;
    const told = (piece: Buffer): void => {
      this.hooks.check();
      this.contentBytes += piece.length;
      this.hooks.onProgress({ entries: 0, bytes: piece.length, current: path });
    };
    if (tree.size >= hashedApartBytes) return this.hashApart(expected, reader, told);
    const hash = createHash('sha256');
    await reader.content((piece) => {
      told(piece);
      hash.update(piece);
    });
    this.compareHash(expected, hash.digest('hex'));
  }

  private async hashApart(
    expected: ManifestEntry,
    reader: TarReader,
    told: (piece: Buffer) => void,
  ): Promise<void> {
    const hash = this.threads.begin();
    await reader.content((piece) => {
      told(piece);
      return hash.update(piece);
    });
    const compared = hash
      .digest()
      .then((sum) => this.compareHash(expected, sum))
      .catch((error: unknown) => void (this.threadFailure = error))
      .finally(() => this.open.delete(compared));
    this.open.add(compared);
  }

  private compareHash({ path, hash }: ManifestEntry, sum: string): void {
    if (hash === '') this.wrong(`${showPath(path)} has no hash in the manifest`);
    else if (sum !== hash) this.wrong(`${showPath(path)}: its hash was ${hash}, is ${sum}`);
  }

  private compareLink(expected: ManifestEntry, { target }: TarEntry): void {
    const first = this.linked.get(target);
    const isSame =
      first?.inode === expected.inode &&
      first.hash === expected.hash &&
      first.type === expected.type &&
      first.target === expected.target;
    if (!isSame) this.wrong(`${showPath(expected.path)} is a link to something else`);
  }

  private async compareRest(): Promise<void> {
    for (let left = await this.cursor.peek(); left; left = await this.cursor.peek()) {
      this.missing(left);
      this.cursor.skip();
    }
    for (const name of this.beside.keys()) this.wrong(`${name} beside the data is missing`);
  }

  private async compareBeside(found: TarEntry, reader: TarReader): Promise<void> {
    const name = found.path.slice(this.task.name.length + 1);
    const expected = this.beside.get(name);
    if (expected === undefined) return;
    this.beside.delete(name);
    const hash = createHash('sha256');
    await reader.content((piece) => void hash.update(piece));
    if (hash.digest('hex') !== expected) this.wrong(`${name} beside the data is not the same`);
  }

  private missing({ type, path }: ManifestEntry): void {
    if (type === 'socket') this.sockets += 1;
    else this.wrong(`${showPath(path)} is missing`);
  }

  private wrong(text: string): void {
    this.wrongCount += 1;
    if (this.wrongCount === 1) this.firstWrong = text;
    if (this.wrongCount <= mostSaid) this.hooks.say(`${this.task.name}: ${text}`);
  }

  /** Null for what lies beside the data. */
  private pathOnHost(path: BytePath): BytePath | null {
    if (path === this.prefix) return '/';
    return path.startsWith(`${this.prefix}/`) ? path.slice(this.prefix.length) : null;
  }
}

/** The hashes of what lies beside the data of a snapshot. What verifications found may change at any time. */
function besideData({ snapshot, root }: ArchiveCheckTask, check: () => void): Map<string, string> {
  if (snapshot === null || root === 'snapshot') return new Map();
  const names = readdirSync(snapshot).filter(
    (name) => !name.startsWith('verification.json') && lstatSync(join(snapshot, name)).isFile(),
  );
  return new Map(names.map((name) => [name, hashFile(Buffer.from(join(snapshot, name)), check).hash]));
}

async function sharedInodes(manifest: string, check: () => void): Promise<ReadonlySet<number>> {
  let inodes = new Float64Array(65_536);
  let count = 0;
  for await (const piece of readManifestFile(manifest)) {
    check();
    for (const { inode, type } of piece) {
      if (type === 'directory') continue;
      if (count === inodes.length) {
        const larger = new Float64Array(2 * count);
        larger.set(inodes);
        inodes = larger;
      }
      inodes[count++] = Number(inode);
    }
  }
  const sorted = inodes.subarray(0, count).sort();
  return new Set(sorted.filter((inode, index) => index > 0 && inode === sorted[index - 1]));
}

/**
 * Whether what was thrown tells of the tarball itself: zlib or the decompressor finds it broken, or its disk cannot read
 * it. A file that is away, a lack of memory or of descriptors and the like say nothing of it.
 */
export function isDamageOfStream(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  const isOfMemory = error.code === 'Z_MEM_ERROR';
  return (error.code.startsWith('Z_') && !isOfMemory) || error.code === 'EIO' || error.code === zstdDamage;
}
