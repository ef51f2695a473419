/** The hash of a file's content, read synchronously in a thread of its own. */
import { createHash, hash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { codeOf } from './tree-walk.js';

/** SHA-256 in hex, and how many bytes were read. Throws what the system says, and what `whileReading` throws. */
export function hashFile(
  place: Buffer,
  whileReading: (bytes: number) => void,
): { hash: string; bytes: number } {
  const file = openToRead(place);
  try {
    return hashOpenFile(file, whileReading);
  } finally {
    closeSync(file);
  }
}

/** As `hashFile`, of a file that is open, from where it is on. */
export function hashOpenFile(
  file: number,
  whileReading: (bytes: number) => void,
): { hash: string; bytes: number } {
  let bytes = fillBuffer(file);
  whileReading(bytes);
  // An object for each small file would lie outside the heap, where it is not missed until much has gathered.
  if (bytes < buffer.length) return { hash: hash('sha256', buffer.subarray(0, bytes)), bytes };
  const sum = createHash('sha256').update(buffer);
  for (;;) {
    const count = fillBuffer(file);
    sum.update(buffer.subarray(0, count));
    bytes += count;
    whileReading(count);
    if (count < buffer.length) return { hash: sum.digest('hex'), bytes };
  }
}

/** How many bytes were read; fewer than there is room for at the end of the file only. */
function fillBuffer(file: number): number {
  let filled = 0;
  while (filled < buffer.length) {
    const count = readSync(file, buffer, filled, buffer.length - filled, null);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

/** Calls never overlap within a thread. */
const buffer = Buffer.allocUnsafeSlow(256 * 1024);

/** What is no file any more by now must neither be followed nor waited for. */
const plainFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens what is to be read; by default nothing is followed. Without a new access time, where that is allowed: it would
 * have to be written to the disk for every file.
 */
export function openToRead(place: Buffer | string, flags = plainFlags): number {
  try {
    return openSync(place, flags | constants.O_NOATIME);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
    return openSync(place, flags);
  }
}
