/**
 * Hashes of files that have been read already, kept as plain bytes in memory that threads can share: 56 for each file.
 * A file is known by its inode, its size and its time, as in a manifest (`isSameFile`).
 */
import type { BigIntStats } from 'node:fs';
import type { TreeEntry } from '../core/manifest.js';

const recordBytes = 56;
const sizeAt = 8;
const timeAt = 16;
const hashAt = 24;
const firstRecords = 1024;

export class HashedFiles {
  private bytes: Buffer;
  private readonly places = new Map<string, number>();

  private constructor(
    shared: SharedArrayBuffer,
    private count: number,
  ) {
    this.bytes = Buffer.from(shared);
    for (let at = 0; at < count * recordBytes; at += recordBytes)
      this.places.set(String(this.bytes.readBigUInt64LE(at)), at);
  }

  static empty(): HashedFiles {
    return new HashedFiles(new SharedArrayBuffer(firstRecords * recordBytes), 0);
  }

  /** What `toShared` answered. */
  static fromShared(shared: SharedArrayBuffer): HashedFiles {
    return new HashedFiles(shared, shared.byteLength / recordBytes);
  }

  get size(): number {
    return this.count;
  }

  /** Of two contents of one inode the later one counts. `hash` is SHA-256 in hex. */
  add({ ino, size, mtimeNs }: BigIntStats, hash: string): void {
    const at = this.places.get(String(ino)) ?? this.count++ * recordBytes;
    if (at === this.bytes.length) this.grow();
    this.places.set(String(ino), at);
    this.bytes.writeBigUInt64LE(ino, at);
    this.bytes.writeBigInt64LE(size, at + sizeAt);
    this.bytes.writeBigInt64LE(mtimeNs, at + timeAt);
    this.bytes.write(hash, at + hashAt, 'hex');
  }

  /** SHA-256 in hex, when it is the same file. */
  find({ inode, size, mtimeNs }: TreeEntry): string | undefined {
    const at = this.places.get(inode);
    if (at === undefined) return undefined;
    const isSame =
      this.bytes.readBigInt64LE(at + sizeAt) === BigInt(size) &&
      this.bytes.readBigInt64LE(at + timeAt) === BigInt(mtimeNs);
    return isSame ? this.bytes.toString('hex', at + hashAt, at + recordBytes) : undefined;
  }

  toShared(): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(this.count * recordBytes);
    Buffer.from(shared).set(this.bytes.subarray(0, shared.byteLength));
    return shared;
  }

  private grow(): void {
    const larger = Buffer.alloc(this.bytes.length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
