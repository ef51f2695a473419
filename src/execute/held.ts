/** Which snapshots on the disk are held. Their `snapshot.json` says it, whatever a database knows. */
import { join } from 'node:path';
import { isHeld, parseSnapshotName } from '../core/snapshot.js';
import type { HostStore } from './snapshot-dir.js';
import { readSnapshotJson, readSourceCounts } from './snapshot-json.js';
import type { Measure } from './source-check.js';

/**
 * The held ones among the newest, down to the newest good one and the youngest good full one; older ones are not
 * looked at, since nothing is linked to or compared with them.
 */
export async function heldAmongNewest(store: HostStore): Promise<ReadonlySet<string>> {
  const held = new Set<string>();
  let hasGood = false;
  for (const name of store.snapshots.toReversed()) {
    const isFull = parseSnapshotName(name)?.type === 'full';
    // Of the older incremental ones none is a base.
    if (hasGood && !isFull) continue;
    const snapshot = await readSnapshotJson(join(store.directory, name));
    if (snapshot && isHeld(snapshot)) held.add(name);
    else if (isFull) break;
    else hasGood = true;
  }
  return held;
}

/** The newest good snapshot that tells what it has of each source directory; null when there is none. */
export async function readMeasure(store: HostStore, held: ReadonlySet<string>): Promise<Measure | null> {
  for (const name of store.snapshots.toReversed()) {
    if (held.has(name)) continue;
    const path = join(store.directory, name);
    const sources = await readSourceCounts(path);
    if (sources) return { name, path, sources };
  }
  return null;
}
