/**
 * Opens files whose names a host has chosen. It may have put anything in their place, and to open a device is to use it:
 * a tape rewinds, a watchdog begins to count. So what is there is looked at before it is opened.
 */
import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs';
import type { BytePath } from '../core/byte-path.js';
import { openToRead } from './file-hash.js';

/** Holds a place in the file system and opens nothing; Node has no name for it. */
const O_PATH = 0o10000000;
/** The link in /proc is followed. Another program's lease on a file is not waited for. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * A descriptor for reading; null when `place` is no regular file of this device, or a link leads to it. `place` has no
 * link in it as far as the caller vouches for it, as `realpath` answers it. Throws what the system says.
 */
export function openPlainFile(place: BytePath, device: bigint): number | null {
  const held = openSync(Buffer.from(place, 'latin1'), O_PATH | constants.O_NOFOLLOW);
  try {
    const found = fstatSync(held, { bigint: true });
    if (!found.isFile() || found.dev !== device) return null;
    // What the kernel calls it, so also what was swapped on the way here is noticed.
    const itself = `/proc/self/fd/${held}`;
    if (readlinkSync(itself, 'latin1') !== place) return null;
    return openToRead(itself, flags);
  } finally {
    closeSync(held);
  }
}
