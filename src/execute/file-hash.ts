/** The hash of a file's content, read synchronously in a thread of its own. */
import { createHash } from 'node:crypto';
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
  const hash = createHash('sha256');
  let bytes = 0;
  for (;;) {
    const count = readSync(file, buffer, 0, buffer.length, null);
    if (count === 0) return { hash: hash.digest('hex'), bytes };
    hash.update(buffer.subarray(0, count));
    bytes += count;
    whileReading(count);
  }
}

/** Calls never overlap within a thread. */
const buffer = Buffer.allocUnsafeSlow(256 * 1024);

/** What is no file any more by now must neither be followed nor waited for. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Opens what is to be read: nothing is followed. Without a new access time, where that is allowed: it would have to be
 * written to the disk for every file.
 */
export function openToRead(place: Buffer): number {
  try {
    return openSync(place, flags | constants.O_NOATIME);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
    return openSync(place, flags);
  }
}
