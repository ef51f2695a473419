/** How one path fared from snapshot to snapshot. Runs in a thread of its own (`browse-thread.ts`). */
import type { BrowseSource, HistoryTask, Sighting } from '../core/browse.js';
import type { FileEntry } from '../core/file-entry.js';
import type { BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import { changesBetween, type ChangeKind } from '../core/tree-difference.js';
import { hasSameContent, type Seen } from './browse-content.js';
import { entriesOf, refuseRemoved } from './browse-entries.js';
import { dataRoot, storedPath } from './stored-path.js';
import { lookAt } from './tree-walk.js';

/** One sighting for each snapshot, in the order given. One that cannot be looked at is unknown, and passed over. */
export async function* listVersions({ sources, path }: HistoryTask): AsyncGenerator<Sighting> {
  let last: Seen | null = null;
  let wasSeen = false;
  for (const [index, source] of sources.entries()) {
    const sighting = { source: index, entry: null, changes: [], message: '' };
    try {
      const entry = await findIn(source, path);
      if (!entry) {
        yield { ...sighting, kind: last ? 'gone' : 'absent' };
        last = null;
        continue;
      }
      const changes: readonly ChangeKind[] = last ? await changesSince(last, { source, entry }) : [];
      const isNew = !last && !wasSeen;
      const kind = isNew ? 'first' : !last || changes.length > 0 ? 'changed' : 'same';
      yield { ...sighting, kind, entry, changes };
      last = { source, entry };
      wasSeen = true;
    } catch (error) {
      if (!(error instanceof BusyError)) throw error;
      yield { ...sighting, kind: 'unknown', message: error.message };
    }
  }
}

async function changesSince(last: Seen, next: Seen): Promise<readonly ChangeKind[]> {
  const isOnDisk = last.source.directory !== null && next.source.directory !== null;
  return changesBetween(last.entry, next.entry, await hasSameContent(last, next, isOnDisk));
}

async function findIn(source: BrowseSource, path: BytePath): Promise<FileEntry | null> {
  if (source.directory !== null) return lookInDirectory(source.directory, path);
  for await (const [first] of entriesOf(source, path)) return first ?? null;
  return null;
}

function lookInDirectory(snapshot: string, path: BytePath): FileEntry | null {
  try {
    storedPath(snapshot, path);
  } catch (error) {
    // A directory on the way is missing there, or was a symlink then.
    const isAbsent =
      error instanceof BusyError && (error.reason === 'PATH_NOT_FOUND' || error.reason === 'PATH_REFUSED');
    if (!isAbsent) throw error;
    refuseRemoved(snapshot);
    return null;
  }
  const entry = lookAt(dataRoot(snapshot), path);
  if (!entry) refuseRemoved(snapshot);
  return entry && { ...entry, hash: '' };
}
