/** Finds files among those that `HashedFiles` shares. It takes no memory of its own, however many threads look there. */
import type { TreeEntry } from '../core/manifest.js';
import { hashAt, recordBytes, sizeAt, timeAt } from './hashed-files.js';

export class SharedHashes {
  private readonly bytes: Buffer;
  readonly size: number;

  constructor(shared: SharedArrayBuffer) {
    this.bytes = Buffer.from(shared);
    this.size = shared.byteLength / recordBytes;
  }

  /** SHA-256 in hex, when it is the same file. */
  find({ inode, size, mtimeNs }: TreeEntry): string | undefined {
    const at = this.placeOf(BigInt(inode));
    if (at === null) return undefined;
    const isSame =
      this.bytes.readBigInt64LE(at + sizeAt) === BigInt(size) &&
      this.bytes.readBigInt64LE(at + timeAt) === BigInt(mtimeNs);
    return isSame ? this.bytes.toString('hex', at + hashAt, at + recordBytes) : undefined;
  }

  private placeOf(inode: bigint): number | null {
    let first = 0;
    let end = this.size;
    while (first < end) {
      const middle = (first + end) >>> 1;
      const found = this.bytes.readBigUInt64LE(middle * recordBytes);
      if (found === inode) return middle * recordBytes;
      if (found < inode) first = middle + 1;
      else end = middle;
    }
    return null;
  }
}
