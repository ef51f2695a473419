/** The scratch directory of the quickstart, and what an earlier quickstart left running from it. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processStartTime, stopProcessTree } from './process-tree.js';

/** What runs from the scratch directory, so that a later quickstart can end it. */
interface LeftBehind {
  /** The youngest first. The time of its start tells a process from a later one with the same number. */
  readonly processes: readonly { readonly pid: number; readonly startTime: number }[];
  /** A directory outside, made because the scratch directory's own path was too long for a socket. */
  readonly socketDirectory: string | null;
}

const markerFile = '.made-by-busy-quickstart';
const leftBehindFile = 'running.json';
const longestSocketPathBytes = 107;
const socketDirectoryPrefix = 'busy-quickstart-';

/**
 * Makes the directory, or empties it after it has stopped what an earlier quickstart kept running there.
 * Throws when it holds files that no quickstart made. Answers whether something was stopped.
 */
export async function prepareScratch(directory: string): Promise<boolean> {
  if (existsSync(directory) && !existsSync(join(directory, markerFile))) {
    if ((await readdir(directory)).length > 0) {
      throw new Error(
        `${directory} was not made by the quickstart, so it is left alone. Move it away and try again.`,
      );
    }
  }
  const hasStopped = await stopLeftBehind(directory);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { mode: 0o700 });
  await writeFile(
    join(directory, markerFile),
    'The quickstart of BUSY empties this directory when it starts.\n',
  );
  return hasStopped;
}

/** Where the daemon's socket may lie: in the scratch directory, unless its path is too long for the kernel. */
export async function socketPath(directory: string): Promise<string> {
  const path = join(directory, 'busyd.sock');
  if (Buffer.byteLength(path) <= longestSocketPathBytes) return path;
  const outside = await mkdtemp(join(tmpdir(), socketDirectoryPrefix));
  await writeLeftBehind(directory, { ...(await readLeftBehind(directory)), socketDirectory: outside });
  return join(outside, 'busyd.sock');
}

/** Notes a process that was started, for this and for a later quickstart. */
export async function noteProcess(directory: string, pid: number): Promise<void> {
  const startTime = await processStartTime(pid);
  if (startTime === null) return;
  const noted = await readLeftBehind(directory);
  await writeLeftBehind(directory, { ...noted, processes: [{ pid, startTime }, ...noted.processes] });
}

/** Stops what was noted, the youngest first. Answers whether there was anything. */
export async function stopLeftBehind(directory: string): Promise<boolean> {
  if (!existsSync(join(directory, markerFile))) return false;
  const { processes, socketDirectory } = await readLeftBehind(directory);
  let hasStopped = false;
  for (const { pid, startTime } of processes) {
    if ((await processStartTime(pid)) !== startTime) continue;
    await stopProcessTree(pid);
    hasStopped = true;
  }
  if (socketDirectory?.startsWith(join(tmpdir(), socketDirectoryPrefix))) {
    await rm(socketDirectory, { recursive: true, force: true });
  }
  await rm(join(directory, leftBehindFile), { force: true });
  return hasStopped;
}

async function readLeftBehind(directory: string): Promise<LeftBehind> {
  const file = join(directory, leftBehindFile);
  if (!existsSync(file)) return { processes: [], socketDirectory: null };
  return JSON.parse(await readFile(file, 'utf8')) as LeftBehind;
}

async function writeLeftBehind(directory: string, leftBehind: LeftBehind): Promise<void> {
  await writeFile(join(directory, leftBehindFile), `${JSON.stringify(leftBehind)}\n`);
}
