/** A restore from an archive: what is wanted is unpacked, and restored from there as from the snapshot. */
import { readdirSync } from 'node:fs';
import { BusyError } from '../core/errors.js';
import type { RestoreSource, RestoreTask } from '../core/executor-port.js';
import { counted } from '../core/figures.js';
import type { RestoreWish } from '../core/restore.js';
import { planRestore, type RestorePlan } from '../core/restore-plan.js';
import type { Extraction, Losses } from './archive-extraction.js';
import { unpackArchive } from './archive-unpack.js';
import { unpackOriginal } from './original-unpack.js';
import { dataRoot } from './stored-path.js';

export interface UnpackedSource {
  readonly plan: RestorePlan;
  readonly source: RestoreSource;
  readonly losses: Losses;
}

/** Throws as `unpackArchive`, and INVALID_ARGUMENT as `planRestore`. */
export async function unpackForRestore(
  { host, wish }: RestoreTask,
  from: Pick<Extraction, 'archive' | 'scratch' | 'say'>,
  signal: AbortSignal,
): Promise<UnpackedSource> {
  const { archive } = from;
  const extraction = { ...from, minFree: host.minFree };
  if (archive.manifestRoot === 'snapshot') {
    const { srcdirs } = host;
    const unpacking = { ...extraction, srcdirs, paths: wish.paths };
    const { directory, sources, paths, losses } = await unpackOriginal(unpacking, signal);
    const source = { ...archive.snapshot, sources, path: directory };
    return { plan: planFor({ ...wish, paths }, source), source, losses };
  }
  // What lies at its top is known when all of it is unpacked.
  const isAll = wish.paths.includes('/');
  const before = isAll ? null : planRestore(wish, { sources: archive.snapshot.sources, names: [] });
  const { entries, parents } = before ?? { entries: ['/'], parents: [] };
  const { directory, losses } = await unpackArchive({ ...extraction, entries, parents }, signal);
  const source = { ...archive.snapshot, path: directory };
  return { plan: before ?? planFor(wish, source), source, losses };
}

/** What a directory that is, or looks like, that of a snapshot gives. */
export function planFor(wish: RestoreWish, { path, sources }: RestoreSource): RestorePlan {
  const names = readdirSync(Buffer.from(dataRoot(path), 'latin1'), { encoding: 'latin1' });
  return planRestore(wish, { sources, names });
}

/** RESTORE_INCOMPLETE when something was lost in unpacking; else null. */
export function lossOf({ count, first }: Losses): BusyError | null {
  return count === 0
    ? null
    : new BusyError('RESTORE_INCOMPLETE', { count: counted(count, 'problem'), first });
}
