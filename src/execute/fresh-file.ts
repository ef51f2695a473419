/**
 * Files of the daemon's own among those that an rsync could write to. One that was broken into may have put a link where
 * such a file is to come, so nothing that stands there is opened: it goes, and the file is made anew.
 */
import { copyFile, constants, rm, writeFile } from 'node:fs/promises';

/** Throws as the file system does. With `flush` it has reached the disk then. */
export async function writeFresh(file: string, text: string, { flush = false } = {}): Promise<void> {
  await rm(file, { force: true });
  await writeFile(file, text, { flag: 'wx', mode: 0o644, flush });
}

/** Throws as the file system does. */
export async function copyFresh(from: string, file: string): Promise<void> {
  await rm(file, { force: true });
  await copyFile(from, file, constants.COPYFILE_EXCL);
}
