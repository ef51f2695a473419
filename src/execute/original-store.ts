/**
 * Snapshots of the original BUSY: directories with the same names, but without a snapshot.json and without `data`. Each
 * source directory is one directory there, under its path with another character for each slash (`_etc_ssh`; which
 * character differed between versions), beside `backup.log`, whose last line counts the jobs that failed.
 */
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { noTransfer, parseSnapshotName, type SnapshotRecord } from '../core/snapshot.js';

/**
 * The directory in a snapshot, of this or of the original BUSY, that holds the files of a source directory; null when
 * it has none. Never throws.
 */
export async function directoryOfSource(snapshot: string, source: string): Promise<string | null> {
  const own = join(snapshot, 'data', source === '/' ? '' : source);
  if (await isDirectoryIn(snapshot, own)) return own;
  if (await isDirectoryIn(snapshot, join(snapshot, 'data'))) return null;
  const names = await directoriesIn(snapshot);
  const flat = names.find((name) => isFlatName(name, source));
  if (flat !== undefined) return join(snapshot, flat);
  const below = join(snapshot, source);
  return source !== '/' && (await isDirectoryIn(snapshot, below)) ? below : null;
}

/**
 * What can be told of a snapshot without a snapshot.json; null when it does not look like one: then it holds no
 * directory. `srcdirs` are those of the host now. One of which the log does not say that all went well is PARTIAL.
 * Throws what the file system says.
 */
export async function adoptSnapshot(
  path: string,
  {
    host,
    name,
    srcdirs,
  }: { readonly host: string; readonly name: string; readonly srcdirs: readonly string[] },
): Promise<SnapshotRecord | null> {
  const parsed = parseSnapshotName(name);
  const names = await directoriesIn(path);
  if (!parsed || names.length === 0) return null;
  const logFile = join(path, 'backup.log');
  const log = await readFile(logFile, 'latin1').catch(() => '');
  const endedAt = await stat(logFile).then(
    ({ mtime }) => new Date(mtime.getTime()),
    () => parsed.startedAt,
  );
  const isGood = /Backup finished, 0 failures/.test(log);
  return {
    host,
    name,
    type: parsed.type,
    outcome: isGood ? 'SUCCEEDED' : 'PARTIAL',
    path,
    startedAt: parsed.startedAt,
    committedAt: endedAt < parsed.startedAt ? parsed.startedAt : endedAt,
    runId: '',
    linkBases: [],
    sources: names.map((directory) => sourceOfFlatName(directory, srcdirs)),
    stats: noTransfer,
    missingFileCount: 0,
    heldFor: [],
    manifest: null,
    verifiedAt: null,
    damagedFileCount: 0,
  };
}

/** The source directory that a directory at the top of such a snapshot is; `srcdirs` are those of the host now. */
export function sourceOfFlatName(directory: string, srcdirs: readonly string[]): string {
  return srcdirs.find((source) => isFlatName(directory, source)) ?? guess(directory);
}

/** `_etc_ssh` for `/etc/ssh`, whatever the character. */
function isFlatName(name: string, source: string): boolean {
  const slash = name.charAt(0);
  return name.replaceAll(slash, '/') === source || name === source.replaceAll('/', slash);
}

function guess(directory: string): string {
  const slash = directory.charAt(0);
  return /[A-Za-z0-9.]/.test(slash) ? `/${directory}` : directory.replaceAll(slash, '/');
}

/** Nor may a link lead there: the host has sent them, and they may lead out of the snapshot. */
async function isDirectoryIn(snapshot: string, path: string): Promise<boolean> {
  let step = snapshot;
  for (const name of relative(snapshot, path).split('/')) {
    step = join(step, name);
    const isThere = await lstat(step).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isThere) return false;
  }
  return true;
}

async function directoriesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}
