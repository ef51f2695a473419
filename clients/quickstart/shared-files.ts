import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';

export interface SharedFiles {
  /** Regular files in the younger directory. */
  readonly fileCount: number;
  /** Those that are one inode with the file of the same path in the older directory. */
  readonly sharedCount: number;
  /** One of these, below both directories. */
  readonly example: { readonly path: string; readonly inode: number; readonly links: number } | null;
}

/** Counts the files that two snapshots have in common on disk. */
export async function countSharedFiles(older: string, younger: string): Promise<SharedFiles> {
  let fileCount = 0;
  let sharedCount = 0;
  let example: SharedFiles['example'] = null;
  for await (const path of filesBelow(Buffer.from(younger), Buffer.alloc(0))) {
    fileCount += 1;
    const file = await lstat(Buffer.concat([Buffer.from(younger), path]));
    const twin = await lstatOrNull(Buffer.concat([Buffer.from(older), path]));
    if (twin?.ino !== file.ino || twin.dev !== file.dev) continue;
    sharedCount += 1;
    example ??= { path: path.toString(), inode: file.ino, links: file.nlink };
  }
  return { fileCount, sharedCount, example };
}

/** Paths relative to `top`, each beginning with a slash; as bytes, since names need not be UTF-8. */
async function* filesBelow(top: Buffer, below: Buffer): AsyncGenerator<Buffer, void, undefined> {
  const entries = await readdir(Buffer.concat([top, below]), { withFileTypes: true, encoding: 'buffer' });
  for (const entry of entries) {
    const path = Buffer.concat([below, Buffer.from('/'), entry.name]);
    if (entry.isDirectory()) yield* filesBelow(top, path);
    else if (entry.isFile()) yield path;
  }
}

async function lstatOrNull(path: Buffer): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch {
    return null;
  }
}
