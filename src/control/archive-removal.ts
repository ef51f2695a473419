/** Removes an archive on request. */
import type { ArchiveRecord } from '../core/archive.js';
import { BusyError } from '../core/errors.js';
import { removeArchive } from './archive-keep.js';
import type { ArchivingParts } from './archive-parts.js';
import type { Catalog } from './catalog.js';
import type { HostHold } from './host-claims.js';
import type { PrunerLog } from './pruner.js';

export interface ArchiveRemovalParts {
  readonly catalog: Pick<Catalog, 'host'>;
  readonly hold: Pick<HostHold, 'require'>;
  readonly archiving: Pick<ArchivingParts, 'archives' | 'archiveDisk' | 'alone'>;
  readonly log: Pick<PrunerLog, 'info'>;
}

export interface DeletedArchive {
  readonly archive: ArchiveRecord;
  /** What of it could not be reached, or null. */
  readonly left: string | null;
}

/**
 * Not while a snapshot is being removed for its archive: that looks whether there is one, in the same turn. Throws
 * HOST_NOT_FOUND, HOST_ELSEWHERE, ARCHIVE_NOT_FOUND or ARCHIVEDIR_UNUSABLE.
 */
export function deleteArchive(
  { catalog, hold, archiving, log }: ArchiveRemovalParts,
  host: string,
  snapshot: string,
): Promise<DeletedArchive> {
  return archiving.alone(catalog.host(host), async () => {
    await hold.require(host);
    const archive = await archiving.archives.get(host, snapshot);
    if (!archive) throw new BusyError('ARCHIVE_NOT_FOUND', { host, snapshot });
    const left = await removeArchive(archiving, archive);
    log.info('an archive was removed on request', { host, snapshot, path: archive.path });
    return { archive, left };
  });
}
