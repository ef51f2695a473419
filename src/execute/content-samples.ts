/**
 * Whether files whose size is the same and whose time is another differ in their contents after all. rsync does not say
 * so of a file that it has sent, but both are on this disk: the new one in the partial snapshot, the other in a link base.
 */
import { constants } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bytesOf, parseShownPath } from '../core/byte-path.js';

export interface Samples {
  readonly same: number;
  readonly differing: number;
}

const pieceBytes = 256 * 1024;
/** Of a large file the beginning is read, where file systems and databases note that they were used, and pieces all over it. */
const beginningBytes = 16 * 1024 * 1024;
const piecesBeyond = 64;

/**
 * Compares files by their names as rsync shows them, below `directory` and the first of `bases` that has the file in the
 * same size. What is not there, or nothing but a file, counts for nothing.
 */
export async function compareSamples(
  names: readonly string[],
  directory: string,
  bases: readonly string[],
): Promise<Samples> {
  let same = 0;
  let differing = 0;
  for (const name of names) {
    const isSame = await isSameContent(name, directory, bases);
    if (isSame === true) same += 1;
    if (isSame === false) differing += 1;
  }
  return { same, differing };
}

/** Null when it cannot be said. */
async function isSameContent(
  name: string,
  directory: string,
  bases: readonly string[],
): Promise<boolean | null> {
  const now = await openBelow(directory, name);
  if (!now) return null;
  try {
    const { size } = await now.stat();
    for (const base of bases) {
      const before = await openBelow(base, name);
      if (!before) continue;
      try {
        if ((await before.stat()).size === size) return await isSameWithin(now, before, size);
      } finally {
        await before.close();
      }
    }
    return null;
  } catch {
    return null;
  } finally {
    await now.close();
  }
}

async function isSameWithin(a: FileHandle, b: FileHandle, size: number): Promise<boolean> {
  const [pieceOfA, pieceOfB] = [Buffer.alloc(pieceBytes), Buffer.alloc(pieceBytes)];
  for (const at of placesIn(size)) {
    const readA = await a.read(pieceOfA, 0, pieceBytes, at);
    const readB = await b.read(pieceOfB, 0, pieceBytes, at);
    const isEqual =
      readA.bytesRead === readB.bytesRead &&
      pieceOfA.subarray(0, readA.bytesRead).equals(pieceOfB.subarray(0, readB.bytesRead));
    if (!isEqual) return false;
  }
  return true;
}

/** Where pieces begin, ascending. */
function placesIn(size: number): number[] {
  const places: number[] = [];
  for (let at = 0; at < Math.min(size, beginningBytes); at += pieceBytes) places.push(at);
  const beyond = size - beginningBytes;
  const step = Math.max(pieceBytes, Math.floor(beyond / piecesBeyond));
  for (let at = beginningBytes; at < size; at += step) places.push(at);
  return places;
}

/** Null for what is no regular file, or is reached through a link. */
async function openBelow(directory: string, name: string): Promise<FileHandle | null> {
  const path = parseShownPath(name);
  if (path === null) return null;
  const place = Buffer.from(`${bytesOf(directory)}/${path}`, 'latin1');
  let file: FileHandle | null = null;
  try {
    const above = dirname(place.toString('latin1'));
    const real = await realpath(Buffer.from(above, 'latin1'), 'latin1');
    const root = await realpath(directory, 'latin1');
    if (real !== root && !real.startsWith(`${root}/`)) return null;
    file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    return null;
  } catch {
    await file?.close().catch(() => {});
    return null;
  }
}
