/** The trees that are backed up. Their bytes are random, so no compression on the way can help anybody. */
import { randomFillSync } from 'node:crypto';
import { mkdir, open, readdir, stat, writeFile } from 'node:fs/promises';
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
/** What a small file takes on the disk at most, with its blocks and its inode. */
export const smallFileBytes = 10 * 1024;
const smallest = 512;
const largest = 8192;
const pieceBytes = 2 ** 20;
const changedPieceBytes = 16 * 1024;

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

/**
 * Makes a directory with small files and three large ones: lines of text, random bytes, and half of each.
 * `mib` is the size of each of the three.
 */
export async function makeMixedTree(
  directory: string,
  { files, mib }: { readonly files: number; readonly mib: number },
): Promise<void> {
  await mkdir(directory);
  await makeSmallFiles(join(directory, 'small'), files);
  const text = Array.from({ length: (mib * 2 ** 20) / 80 }, (_, number) => logLine(number)).join('');
  await writeFile(join(directory, 'text'), text);
  await writeRandomFile(join(directory, 'random'), mib * 2 ** 20);
  const half = join(directory, 'half');
  await writeRandomFile(half, (mib / 2) * 2 ** 20);
  await writeFile(half, text.slice(0, text.length / 2), { flag: 'a' });
}

function logLine(number: number): string {
  return `${number} ${'a line of a log that says little '.repeat(2)}${number % 977}\n`;
}

/** A small file that every tree of `makeSmallFiles` has, relative to it. */
export const someSmallFile = 'folder-2/file-250.dat';

/**
 * Changes 1 %, and no size: every hundredth small file is written anew, and one of the larger files gets new bytes in
 * as many places as make 1 % of all of them.
 */
export async function changeOnePercent(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(
    paths.sort().map(async (path) => ({ path, size: (await stat(path)).size })),
  );
  const small = files.filter(({ size }) => size <= largest);
  for (const { path, size } of small.filter((_, index) => index % 100 === 0))
    await writeFile(path, randomFillSync(Buffer.allocUnsafe(size)));
  const [first, ...others] = files.filter(({ size }) => size > largest);
  if (first) await changePieces(first.path, first.size, Math.floor(100 / (1 + others.length)));
}

/** Every `nth` piece gets new bytes. */
async function changePieces(path: string, size: number, nth: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const piece = Buffer.allocUnsafe(changedPieceBytes);
    for (let start = 0; start < size; start += nth * changedPieceBytes) {
      await file.write(randomFillSync(piece), 0, Math.min(changedPieceBytes, size - start), start);
    }
  } finally {
    await file.close();
  }
}

/** Bytes on the disk for the trees, one copy of each, and all else. */
export function neededBytes(sizes: TreeSizes): number {
  const small = sizes.smallFileCount * smallFileBytes;
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
