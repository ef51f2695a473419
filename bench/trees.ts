/** The trees that are backed up. Their bytes are random, so no compression on the way can help anybody. */
import { randomFillSync } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface TreeSizes {
  /** Bytes of each of the large files. */
  readonly largeFileBytes: number;
  readonly smallFileCount: number;
}

export const fullSizes: TreeSizes = { largeFileBytes: 256 * 2 ** 20, smallFileCount: 30_000 };
export const quickSizes: TreeSizes = { largeFileBytes: 32 * 2 ** 20, smallFileCount: 2_000 };

export const largeFileCount = 4;
const filesPerDirectory = 100;
const smallest = 512;
const largest = 8192;
const pieceBytes = 2 ** 20;

/** Makes a directory with four large files. */
export async function makeLargeFiles(directory: string, bytes: number): Promise<void> {
  await mkdir(directory);
  for (let number = 1; number <= largeFileCount; number++) {
    await writeRandomFile(join(directory, `large-${number}.bin`), bytes);
  }
}

/** Makes a directory with directories of a hundred files, of 0.5 to 8 KiB each. */
export async function makeSmallFiles(directory: string, count: number): Promise<void> {
  await mkdir(directory);
  const pool = randomFillSync(Buffer.allocUnsafe(pieceBytes));
  for (let number = 0; number < count; number++) {
    const folder = join(directory, `folder-${Math.floor(number / filesPerDirectory)}`);
    if (number % filesPerDirectory === 0) await mkdir(folder);
    // A prime step spreads sizes and contents evenly, and alike in every run.
    const bytes = smallest + ((number * 7919) % (largest - smallest + 1));
    const start = (number * 104_729) % (pieceBytes - largest);
    await writeFile(join(folder, `file-${number}.dat`), pool.subarray(start, start + bytes));
  }
}

/** Bytes on the disk for the trees, one copy of each, and all else. */
export function neededBytes(sizes: TreeSizes): number {
  // With blocks, inodes and the directories of the incremental copies.
  const small = sizes.smallFileCount * (largest + 2048);
  const large = largeFileCount * sizes.largeFileBytes;
  return 2 * (large + small) + 256 * 2 ** 20;
}

/** Writes a file of random bytes, a whole number of MiB. */
export async function writeRandomFile(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'wx');
  try {
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (let written = 0; written < bytes; written += pieceBytes) await file.writeFile(randomFillSync(piece));
  } finally {
    await file.close();
  }
}
