/**
 * Damage that is known: written down for each snapshot, also for those that were not compared themselves but share the
 * damaged file with one that was.
 */
import { join } from 'node:path';
import { bytesOf } from '../core/byte-path.js';
import { mostDamaged, type ComparedSnapshot, type DamagedFile } from './comparison.js';
import type { DamagedPlace } from './damage-search.js';
import { readHostStore } from './snapshot-dir.js';
import {
  readPartTimes,
  readVerification,
  writePartTimes,
  writeVerification,
  type SnapshotVerification,
} from './snapshot-verification.js';
import { codeOf, isAbsent, lookAt } from './tree-walk.js';

export interface Findings {
  /** The directory that holds the snapshots. */
  readonly store: string;
  readonly compared: readonly ComparedSnapshot[];
  /** Which parts were compared; null: all. */
  readonly parts: readonly number[] | null;
  readonly verifiedAt: Date;
}

/** Throws what the file system says. */
export async function recordFindings(findings: Findings): Promise<void> {
  const { store, compared, parts, verifiedAt } = findings;
  await recordDamage(findings);
  await tellSharers(store, compared);
  if (parts === null || compared.some(({ state }) => state === 'cancelled')) return;
  // Not before: after a crash in between the parts are read again, and their damage is found again.
  const times = await readPartTimes(store);
  const read = parts.map((part): [number, Date] => [part, verifiedAt]);
  await writePartTimes(store, new Map([...times, ...read]));
}

/** All files of a host's snapshots that are known to be damaged, but for those that are not there any more. */
export async function damagedPlaces(store: string): Promise<DamagedPlace[]> {
  const { snapshots } = await readHostStore(store);
  const places: DamagedPlace[] = [];
  for (const name of snapshots) {
    const snapshot = join(store, name);
    const { damaged } = await readVerification(snapshot);
    for (const { path, inode } of damaged) if (inode !== '') places.push({ snapshot, path, inode });
  }
  return places;
}

async function recordDamage({ store, compared, parts, verifiedAt }: Findings): Promise<void> {
  const read = new Set(parts);
  for (const { name, state, damaged, damagedCount } of compared) {
    if (state !== 'compared' && state !== 'cancelled') continue;
    const directory = join(store, name);
    const before = await readVerification(directory);
    const isWhole = state === 'compared';
    const isStillTrue = ({ part }: DamagedFile): boolean => !isWhole || (parts !== null && !read.has(part));
    const kept = before.damaged.filter(isStillTrue);
    const isUnchanged = damaged.length === 0 && kept.length === before.damaged.length;
    if (isUnchanged && (parts !== null || !isWhole)) continue;
    await writeWhereThere(directory, {
      verifiedAt: isWhole && parts === null ? verifiedAt : before.verifiedAt,
      ...together(kept, damaged, damagedCount),
    });
  }
}

async function tellSharers(store: string, compared: readonly ComparedSnapshot[]): Promise<void> {
  const damaged = compared.flatMap((snapshot) => snapshot.damaged).filter(({ inode }) => inode !== '');
  if (damaged.length === 0) return;
  const done = new Set(compared.filter(({ state }) => state === 'compared').map(({ name }) => name));
  const { snapshots } = await readHostStore(store);
  for (const name of snapshots.filter((other) => !done.has(other))) {
    const directory = join(store, name);
    const root = bytesOf(join(directory, 'data'));
    const shared = damaged.filter(({ path, inode }) => lookAt(root, path)?.inode === inode);
    if (shared.length === 0) continue;
    const before = await readVerification(directory);
    await writeWhereThere(directory, { ...before, ...together(before.damaged, shared, shared.length) });
  }
}

/** A snapshot that was compared hours ago may have been removed since: of the others it is written all the same. */
async function writeWhereThere(directory: string, found: SnapshotVerification): Promise<void> {
  await writeVerification(directory, found).catch((error: unknown) => {
    if (!isAbsent(codeOf(error))) throw error;
  });
}

/** Each file once; of more than can be kept the rest only counts. */
function together(
  before: readonly DamagedFile[],
  more: readonly DamagedFile[],
  moreCount: number,
): { damaged: DamagedFile[]; damagedFileCount: number } {
  const byPath = new Map([...before, ...more].map((file) => [file.path, file]));
  const unnamed = Math.max(0, moreCount - more.length);
  return { damaged: [...byPath.values()].slice(0, mostDamaged), damagedFileCount: byPath.size + unnamed };
}
