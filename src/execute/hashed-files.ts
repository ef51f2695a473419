/**
 * Hashes of files that have been read already, kept as plain bytes in memory that threads can share: 56 for each file.
 * A file is known by its inode, its size and its time, as in a manifest (`isSameFile`). They are found by
 * `shared-hashes.ts`.
 */
import type { BigIntStats } from 'node:fs';

export const recordBytes = 56;
export const sizeAt = 8;
export const timeAt = 16;
export const hashAt = 24;
const firstRecords = 1024;

export class HashedFiles {
  private bytes = Buffer.alloc(firstRecords * recordBytes);
  private readonly places = new Map<string, number>();

  get size(): number {
    return this.places.size;
  }

  /** Of two contents of one inode the later one counts. `hash` is SHA-256 in hex. */
  add({ ino, size, mtimeNs }: BigIntStats, hash: string): void {
    const at = this.places.get(String(ino)) ?? this.places.size * recordBytes;
    if (at === this.bytes.length) this.grow();
    this.places.set(String(ino), at);
    this.bytes.writeBigUInt64LE(ino, at);
    this.bytes.writeBigInt64LE(size, at + sizeAt);
    this.bytes.writeBigInt64LE(mtimeNs, at + timeAt);
    this.bytes.write(hash, at + hashAt, 'hex');
  }

  /** Sorted by inode. */
  toShared(): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(this.places.size * recordBytes);
    const sorted = Buffer.from(shared);
    const inodes = BigUint64Array.from(this.places.keys(), BigInt).sort();
    inodes.forEach((inode, index) => {
      const at = this.places.get(String(inode)) ?? 0;
      this.bytes.copy(sorted, index * recordBytes, at, at + recordBytes);
    });
    return shared;
  }

  private grow(): void {
    const larger = Buffer.alloc(this.bytes.length * 2);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
