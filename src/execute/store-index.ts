/** What the disk alone tells of the snapshots of a host. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../core/host.js';
import { parseSnapshotName, type SnapshotRecord } from '../core/snapshot.js';
import { adoptSnapshot } from './original-store.js';
import { readHostStore } from './snapshot-dir.js';
import { readSnapshotJson } from './snapshot-json.js';

export interface StoreIndex {
  /** Oldest first. */
  readonly snapshots: readonly SnapshotRecord[];
  /** Names of those of them that have no snapshot.json. */
  readonly adopted: readonly string[];
  /** Names of directories that are called like snapshots and are none. */
  readonly ignored: readonly string[];
  /** Names of those in the trash. */
  readonly trashed: readonly string[];
}

/** Null when the directory of the host is not there or cannot be read. */
export async function indexStore(host: Host): Promise<StoreIndex | null> {
  const directory = join(host.backupdir, host.name);
  const store = await readHostStore(directory).catch(() => null);
  if (!store) return null;
  const snapshots: SnapshotRecord[] = [];
  const adopted: string[] = [];
  const ignored: string[] = [];
  for (const name of store.snapshots) {
    const path = join(directory, name);
    const own = await readSnapshotJson(path);
    // The directory says whose it is, also after it was moved or the host was renamed.
    const found = own ? { ...own, host: host.name, name, path } : await adopt(path, name, host);
    if (!found) ignored.push(name);
    else if (!own) adopted.push(name);
    if (found) snapshots.push(found);
  }
  return { snapshots, adopted, ignored, trashed: store.trashed };
}

/** The names of the committed snapshots of a host, oldest first; none where its directory cannot be read. */
export async function committedNames(host: Host): Promise<string[]> {
  const names = await readdir(join(host.backupdir, host.name)).catch(() => []);
  return names.filter((name) => parseSnapshotName(name) !== null).sort();
}

function adopt(path: string, name: string, host: Host): Promise<SnapshotRecord | null> {
  return adoptSnapshot(path, { host: host.name, name, srcdirs: host.srcdirs }).catch(() => null);
}
