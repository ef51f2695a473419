/**
 * Whether files whose size is the same and whose time is another differ in their contents after all. rsync does not say
 * so of a file that it has sent, but both are on this disk: the new one in the partial snapshot, the other in a link base.
 */
import { close as closeFile, fstat as statOfFile, read as readFile } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { parseShownPath, type BytePath } from '../core/byte-path.js';
import { openPlainFile } from './plain-file.js';

export interface Samples {
  readonly same: number;
  readonly differing: number;
}

const pieceBytes = 256 * 1024;
/** Of a large file the beginning is read, where file systems and databases note that they were used, and pieces all over it. */
const beginningBytes = 16 * 1024 * 1024;
const piecesBeyond = 64;

/** A directory without a link on the way, and the only device that is read below it. */
interface Place {
  readonly root: BytePath;
  readonly device: bigint;
}

const [close, fstat, read] = [promisify(closeFile), promisify(statOfFile), promisify(readFile)];

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
  const now = await placeOf(directory);
  const before = await Promise.all(bases.map(placeOf));
  for (const name of names) {
    const isSame = await isSameContent(name, now, before);
    if (isSame === true) same += 1;
    if (isSame === false) differing += 1;
  }
  return { same, differing };
}

/** Null when it is not there. */
async function placeOf(directory: string): Promise<Place | null> {
  try {
    const root = await realpath(directory, 'latin1');
    const { dev: device } = await lstat(Buffer.from(root, 'latin1'), { bigint: true });
    return { root, device };
  } catch {
    return null;
  }
}

/** Null when it cannot be said. */
async function isSameContent(
  name: string,
  now: Place | null,
  before: readonly (Place | null)[],
): Promise<boolean | null> {
  const path = parseShownPath(name);
  const ours = path === null ? null : openBelow(now, path);
  if (path === null || ours === null) return null;
  try {
    const { size } = await fstat(ours);
    for (const base of before) {
      const theirs = openBelow(base, path);
      if (theirs === null) continue;
      try {
        if ((await fstat(theirs)).size === size) return await isSameWithin(ours, theirs, size);
      } finally {
        await close(theirs);
      }
    }
    return null;
  } catch {
    return null;
  } finally {
    await close(ours);
  }
}

async function isSameWithin(a: number, b: number, size: number): Promise<boolean> {
  const [pieceOfA, pieceOfB] = [Buffer.alloc(pieceBytes), Buffer.alloc(pieceBytes)];
  for (const at of placesIn(size)) {
    const readA = await read(a, pieceOfA, 0, pieceBytes, at);
    const readB = await read(b, pieceOfB, 0, pieceBytes, at);
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

/** Null for what is not there, is no regular file, or is reached through a link. */
function openBelow(place: Place | null, path: BytePath): number | null {
  try {
    return place && openPlainFile(`${place.root}/${path}`, place.device);
  } catch {
    return null;
  }
}
