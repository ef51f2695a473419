/** Removes the archives that no rule of `archive_keep` names, by the same rules as `keep`. */
import type { ArchiveRecord } from '../core/archive.js';
import { toBusyError, type Failure } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { judgeSnapshots } from '../core/retention.js';
import type { ArchivingParts } from './archive-parts.js';

export interface ExpiredArchives {
  /** Names, oldest first. */
  readonly removed: readonly string[];
  /** Why it did not come to its end, or null. */
  readonly error: Failure | null;
}

type Parts = Pick<ArchivingParts, 'archives' | 'archiveDisk' | 'audit'>;

/** Never throws. `say` tells the log of what goes and why. */
export async function expireArchives(
  parts: Parts,
  host: Host,
  say: (text: string) => Promise<void>,
): Promise<ExpiredArchives> {
  const removed: string[] = [];
  try {
    for (const { archive, reason } of await expiredOf(parts, host)) {
      await say(`the archive of ${archive.name} is removed by archive_keep: ${reason}`);
      // First on the disk, then in the records: what a crash leaves is come to again.
      const left = await parts.archiveDisk.remove(archive);
      await parts.audit.note('RemoveArchive', host.name, { snapshot: archive.name, message: reason });
      await parts.archives.remove(host.name, archive.name);
      if (left !== null) await say(left);
      removed.push(archive.name);
    }
    return { removed, error: null };
  } catch (error) {
    const known = toBusyError(error);
    await say(`archives could not be removed: ${known.message}`);
    return { removed, error: known.toFailure() };
  }
}

/** The archives of a host that no rule keeps, oldest first. Throws DATABASE_UNAVAILABLE. */
export async function expiredOf(
  { archives }: Pick<Parts, 'archives'>,
  host: Host,
): Promise<{ archive: ArchiveRecord; reason: string }[]> {
  return host.archive.keep === null ? [] : expiredAmong(await archives.list({ host: host.name }), host);
}

/** Those of all archives of a host that no rule keeps, oldest first. */
export function expiredAmong(
  all: readonly ArchiveRecord[],
  host: Host,
): { archive: ArchiveRecord; reason: string }[] {
  if (host.archive.keep === null) return [];
  const { verdicts } = judgeSnapshots({
    host: { ...host, keep: host.archive.keep },
    snapshots: newestFirst(all).map(({ snapshot, host: name }) => ({ ...snapshot, host: name, heldFor: [] })),
    failuresInRow: 0,
  });
  return verdicts
    .filter(({ isKept }) => !isKept)
    .flatMap(({ snapshot, reason }) => {
      const archive = all.find(({ name }) => name === snapshot.name);
      return archive ? [{ archive, reason }] : [];
    })
    .toReversed();
}

function newestFirst(all: readonly ArchiveRecord[]): ArchiveRecord[] {
  return [...all].sort((a, b) => (a.name < b.name ? 1 : -1));
}
