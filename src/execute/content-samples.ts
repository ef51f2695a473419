/**
 * Whether files whose size is the same and whose time is another differ in their contents after all. rsync does not say
 * so of a file that it has sent, but both are on this disk: the new one in the partial snapshot, the other in a link base.
 */
import { close as closeFile, fstat as statOfFile, read as readFile } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { parseShownPath, type BytePath } from '../core/byte-path.js';
import { openPlainFile } from './plain-file.js';
import { codeOf } from './tree-walk.js';

export interface Samples {
  readonly same: number;
  readonly differing: number;
  /** They are not there yet. Of all others nothing can be said: no base has them, or they cannot be read. */
  readonly missing: number;
}

type Finding = keyof Samples | 'unknown';

const pieceBytes = 256 * 1024;
/** Of a large file the beginning is read, where file systems and databases note that they were used, and pieces all over it. */
const beginningBytes = 16 * 1024 * 1024;
const piecesBeyond = 64;
/** When so much was read on a side no other file is begun: much more is copied while one waits for it. */
const mostBytes = 64 * 1024 * 1024;

/** A directory without a link on the way, and the only device that is read below it. */
interface Place {
  readonly root: BytePath;
  readonly device: bigint;
}

/** For all samples together, on a side. */
interface Budget {
  bytesLeft: number;
}

const [close, fstat, read] = [promisify(closeFile), promisify(statOfFile), promisify(readFile)];

/**
 * Compares files by their names as rsync shows them, below `directory` and the first of `bases` that has the file in the
 * same size. What is not there, or nothing but a file, counts for nothing; so do the last ones when the first are large.
 */
export async function compareSamples(
  names: readonly string[],
  directory: string,
  bases: readonly string[],
): Promise<Samples> {
  const found = { same: 0, differing: 0, missing: 0, unknown: 0 };
  const now = await placeOf(directory);
  const before = await Promise.all(bases.map(placeOf));
  const budget = { bytesLeft: mostBytes };
  for (const name of names) if (budget.bytesLeft > 0) found[await findingOf(name, now, before, budget)] += 1;
  const { same, differing, missing } = found;
  return { same, differing, missing };
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

async function findingOf(
  name: string,
  now: Place | null,
  before: readonly (Place | null)[],
  budget: Budget,
): Promise<Finding> {
  const path = parseShownPath(name);
  if (path === null) return 'unknown';
  const ours = openBelow(now, path);
  if (typeof ours === 'string') return ours;
  try {
    const { size } = await fstat(ours);
    for (const base of before) {
      const theirs = openBelow(base, path);
      if (typeof theirs === 'string') continue;
      try {
        if ((await fstat(theirs)).size !== size) continue;
        return (await isSameWithin(ours, theirs, size, budget)) ? 'same' : 'differing';
      } finally {
        await close(theirs);
      }
    }
    return 'unknown';
  } catch {
    return 'unknown';
  } finally {
    await close(ours);
  }
}

async function isSameWithin(a: number, b: number, size: number, budget: Budget): Promise<boolean> {
  const [pieceOfA, pieceOfB] = [Buffer.alloc(pieceBytes), Buffer.alloc(pieceBytes)];
  for (const at of placesIn(size)) {
    const readA = await read(a, pieceOfA, 0, pieceBytes, at);
    const readB = await read(b, pieceOfB, 0, pieceBytes, at);
    budget.bytesLeft -= readA.bytesRead;
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

/** Or why it is not open: it is no regular file, is reached through a link, or may not be read. */
function openBelow(place: Place | null, path: BytePath): number | 'missing' | 'unknown' {
  try {
    return (place && openPlainFile(`${place.root}/${path}`, place.device)) ?? 'unknown';
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'missing' : 'unknown';
  }
}
