/**
 * Which directories the unchanged files of a new snapshot may be links into. Pure.
 *
 * An incremental links to the newest snapshot of any type and to the youngest full one. What an earlier backup left
 * behind (cancelled, cut off, crashed) is a base too, so nothing that was copied is copied again; but a full backup
 * takes only what was left by a full one, since it must be independent of older snapshots.
 */
import { join } from 'node:path';
import { parseSnapshotName, type BackupType } from '../core/snapshot.js';
import type { HostStore, PartialDir } from './snapshot-dir.js';

export interface LinkBases {
  /** Full without any snapshot to link to, whatever was asked for. */
  readonly type: BackupType;
  /** Absolute directories, best first. */
  readonly paths: readonly string[];
  /** Those of them that are snapshots, by name. */
  readonly snapshotNames: readonly string[];
  /** Those of them that an unfinished backup left. */
  readonly resumed: readonly PartialDir[];
  /** The machine went down since one of them was written, so size and time of its files prove nothing. */
  readonly mustCompareContents: boolean;
}

/**
 * rsync takes at most 20 link bases, and two are snapshots. All of the rest are used: after a long backup was cut,
 * several short attempts must not crowd out the one that copied most.
 */
const mostPartials = 18;

/**
 * Chooses the link bases for a backup of the wanted type. `bootId` is that of the running system; snapshots that are
 * `held` are no bases.
 */
export function chooseLinkBases(
  store: HostStore,
  wanted: BackupType,
  { bootId, held }: { readonly bootId: string; readonly held: ReadonlySet<string> },
): LinkBases {
  const good = store.snapshots.filter((name) => !held.has(name));
  const newest = good.at(-1);
  const youngestFull = good.findLast((name) => parseSnapshotName(name)?.type === 'full');
  const type = wanted === 'incremental' && newest === undefined ? 'full' : wanted;
  const bases = type === 'full' ? [] : [newest, youngestFull];
  const snapshotNames = [...new Set(bases.filter((name) => name !== undefined))];
  const resumed = store.partials
    .filter((partial) => partial.mark !== null && (type === 'incremental' || partial.mark.type === 'full'))
    .slice(-mostPartials)
    .toReversed();
  return {
    type,
    snapshotNames,
    resumed,
    paths: [
      ...resumed.map((partial) => partial.path),
      ...snapshotNames.map((name) => join(store.directory, name)),
    ],
    mustCompareContents: resumed.some(
      (partial) => !partial.mark?.isFlushed && partial.mark?.bootId !== bootId,
    ),
  };
}
