/** The directory that a benchmark works in. Nothing outside of it is changed, and nothing of it is left. */
import { mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCommand } from '../test/helpers/run-command.js';
import { TestBed } from '../test/helpers/test-bed.js';

export interface Scratch {
  readonly directory: string;
  readonly bed: TestBed;
}

/**
 * Makes a scratch directory below `parent` (default: that of the system for temporary files), carries `work` out in
 * it and removes it, whatever happens. Throws when fewer than `neededBytes` are free.
 */
export async function withScratch<T>(
  parent: string | undefined,
  neededBytes: number,
  work: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const place = resolve(parent ?? tmpdir());
  // rsync splits the command for its remote shell at blanks.
  if (!/^[\w./+-]+$/.test(place)) {
    throw new Error(`${place} has characters that a benchmark cannot use. Choose a plain path with --dir.`);
  }
  await requireSpace(place, neededBytes);
  const directory = await mkdtemp(join(place, 'busy-bench-'));
  let bed: TestBed | null = null;
  const { TMPDIR } = process.env;
  try {
    // The test bed makes its directory where the system says that temporary files go.
    process.env.TMPDIR = directory;
    bed = await TestBed.create();
    return await work({ directory, bed });
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    await bed?.end();
    await remove(directory);
  }
}

/** Removes a directory with all that it holds. */
export async function remove(path: string): Promise<void> {
  const { code, stderr } = await runCommand('rm', ['-rf', '--', path]);
  if (code !== 0) throw new Error(`${path} could not be removed: ${stderr.trim()}. Remove it by hand.`);
}

/** Writes out what is not on the disk yet, so that it is not charged to what is measured next. */
export async function settleDisk(directory: string): Promise<void> {
  await runCommand('sync', ['-f', '--', directory]);
}

async function requireSpace(directory: string, neededBytes: number): Promise<void> {
  const disk = await statfs(directory);
  const free = disk.bavail * disk.bsize;
  if (free >= neededBytes) return;
  throw new Error(
    `${directory} has ${inMiB(free)} free, but ${inMiB(neededBytes)} are needed. ` +
      'Free some space there, choose another place with --dir, or try --quick.',
  );
}

function inMiB(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
