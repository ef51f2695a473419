/** One directory of a snapshot, sorted by the bytes of the names. Runs in a thread of its own (`browse-thread.ts`). */
import { readdirSync } from 'node:fs';
import type { ListTask } from '../core/browse.js';
import type { FileEntry } from '../core/file-entry.js';
import type { BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import { showPath } from '../core/byte-path.js';
import { checkedParts } from '../core/path-request.js';
import { entriesOf, refuseRemoved } from './browse-entries.js';
import { dataRoot, notFound, pathFailure, storedPath } from './stored-path.js';
import { lookAt } from './tree-walk.js';

/** What is in a directory, without what is deeper; of anything else the entry itself. Throws as `Browse` says. */
export async function* listFiles(task: ListTask): AsyncGenerator<FileEntry> {
  const { directory } = task.source;
  checkedParts(task.path);
  if (directory !== null) yield* ofDirectory(directory, task);
  else yield* ofManifest(task);
}

function* ofDirectory(snapshot: string, { path, after, limit }: ListTask): Generator<FileEntry> {
  const root = dataRoot(snapshot);
  const place = storedPath(snapshot, path);
  const top = lookAt(root, path);
  if (!top) throw notFound(snapshot, path);
  if (top.type === 'unknown') throw pathFailure(snapshot, path, { code: top.error });
  if (top.type !== 'directory') {
    if (after === null) yield { ...top, hash: '' };
    return;
  }
  let names: string[];
  try {
    // Before they are sorted: of a huge directory each further page has fewer to sort.
    names = readdirSync(place, { encoding: 'latin1' })
      .filter((name) => after === null || name > after)
      .sort();
  } catch (error) {
    refuseRemoved(snapshot);
    throw pathFailure(snapshot, path, error);
  }
  let count = 0;
  for (const name of names) {
    const entry = lookAt(root, below(path, name));
    // A snapshot does not change, so what vanishes vanishes with all of it.
    if (!entry) refuseRemoved(snapshot);
    if (entry) yield { ...entry, hash: '' };
    if (++count === limit) return;
  }
}

async function* ofManifest({ source, path, after, limit }: ListTask): AsyncGenerator<FileEntry> {
  const prefix = path === '/' ? '/' : `${path}/`;
  let isFound = false;
  let count = 0;
  for await (const piece of entriesOf(source, path)) {
    for (const entry of piece) {
      if (entry.path === path) {
        isFound = true;
        if (entry.type === 'directory' || after !== null) continue;
        yield entry;
        return;
      }
      const name = entry.path.slice(prefix.length);
      if (name.includes('/') || (after !== null && name <= after)) continue;
      yield entry;
      if (++count === limit) return;
    }
  }
  if (!isFound) throw new BusyError('PATH_NOT_FOUND', { path: showPath(path), snapshot: source.snapshot });
}

function below(path: BytePath, name: string): BytePath {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}
