/** Whether two files of snapshots have the same content; reads them only where nothing else tells. */
import type { BrowseSource } from '../core/browse.js';
import type { FileEntry } from '../core/file-entry.js';
import { judgeContent } from '../core/tree-difference.js';
import { entriesOf, refuseRemoved } from './browse-entries.js';
import { hashFile } from './file-hash.js';
import { dataRoot } from './stored-path.js';
import { diskPath } from './tree-walk.js';

export interface Seen {
  readonly source: BrowseSource;
  readonly entry: FileEntry;
}

/** Looking it up in a manifest is faster than reading so many bytes. */
const fewBytes = 256 * 1024 * 1024;

/** Throws SNAPSHOT_REMOVED. What cannot be read counts as changed. */
export async function hasSameContent(before: Seen, after: Seen, sharesInodes: boolean): Promise<boolean> {
  if (before.entry.type !== 'file' || after.entry.type !== 'file') return true;
  const verdict = judgeContent(before.entry, after.entry, sharesInodes);
  if (verdict !== 'unknown') return verdict === 'same';
  const hash = await hashOf(before);
  return hash !== '' && hash === (await hashOf(after));
}

async function hashOf({ source, entry }: Seen): Promise<string> {
  if (entry.hash !== '') return entry.hash;
  if (source.directory === null) return '';
  if (entry.size > fewBytes && source.manifest !== null) {
    for await (const [first] of entriesOf(source, entry.path)) {
      if (first && first.hash !== '') return first.hash;
      break;
    }
  }
  refuseRemoved(source.directory);
  const root = dataRoot(source.directory);
  try {
    return hashFile(diskPath(root, entry.path), () => {}).hash;
  } catch {
    return '';
  }
}
