/** Archives that a call deletes: into the trash, back from it, and out of it for good. */
import type { ArchiveRecord } from '../core/archive.js';
import type { ArchiveTrash } from '../core/archive-ports.js';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Clock } from '../core/ports.js';
import type { TrashEntry } from '../core/trash.js';
import { expiredAmong } from './archive-keep.js';
import type { ArchivingParts } from './archive-parts.js';
import type { Catalog } from './catalog.js';
import type { HostHold } from './host-claims.js';
import type { PrunerLog } from './pruner.js';
import type { RunLifecycle } from './run-lifecycle.js';
import { newMark, type TrashBin, type TrashFilter } from './trash.js';

export interface TrashedArchivesParts {
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, 'hosts' | 'host'>;
  readonly hold: Pick<HostHold, 'isOurs' | 'require'>;
  readonly archiving: Pick<ArchivingParts, 'archives' | 'alone'>;
  readonly archiveTrash: ArchiveTrash;
  readonly lifecycle: Pick<RunLifecycle, 'isBusy'>;
  readonly log: Pick<PrunerLog, 'info'>;
}

export interface DeletedArchive {
  readonly archive: ArchiveRecord;
  /** What it is in the trash; null when its tarball was not there any more, and only its record went. */
  readonly entry: TrashEntry | null;
  /** What of it could not be reached, or null. */
  readonly left: string | null;
}

export class TrashedArchives implements TrashBin {
  constructor(private readonly parts: TrashedArchivesParts) {}

  /**
   * Moves an archive to the trash. Not while a snapshot is being removed for its archive: that looks whether there is
   * one, in the same turn. Throws HOST_NOT_FOUND, HOST_ELSEWHERE, ARCHIVE_NOT_FOUND or ARCHIVEDIR_UNUSABLE.
   */
  delete(host: string, snapshot: string, by: string): Promise<DeletedArchive> {
    const { catalog, archiving, archiveTrash, clock, log } = this.parts;
    return this.alone(catalog.host(host), async () => {
      const archive = await archiving.archives.get(host, snapshot);
      if (!archive) throw new BusyError('ARCHIVE_NOT_FOUND', { host, snapshot });
      const entry = archiveTrash.entryOf(archive, newMark(clock.now(), by));
      const { wasThere, left } = await archiveTrash.moveIn(archive, entry);
      await archiving.archives.remove(host, snapshot);
      log.info('an archive was moved to the trash', { host, snapshot, id: entry.id, by, left });
      return { archive, entry: wasThere ? entry : null, left };
    });
  }

  places(): readonly string[] {
    const all = this.parts.catalog.hosts().map(({ archivedir }) => archivedir);
    return [...new Set(all)].filter((archivedir) => archivedir !== '');
  }

  async list({ host, place }: TrashFilter): Promise<readonly TrashEntry[]> {
    const places = this.places().filter((one) => place === undefined || one === place);
    const found = (await Promise.all(places.map((one) => this.parts.archiveTrash.list(one)))).flat();
    const known = new Set(this.parts.catalog.hosts().map(({ name }) => name));
    return found.filter((entry) => known.has(entry.host) && (host === undefined || entry.host === host));
  }

  isOurs({ host }: TrashEntry): boolean {
    return this.parts.hold.isOurs(host);
  }

  /**
   * Not while something archives the host, which takes files without a tarball for left over. Throws HOST_NOT_FOUND,
   * TRASH_HOST_ARCHIVES, TRASH_ENTRY_NOT_FOUND, TRASH_PLACE_TAKEN, TRASH_NOT_KEPT, and as `delete` does.
   */
  restore(entry: TrashEntry): Promise<void> {
    const { catalog, archiving, archiveTrash, lifecycle, log } = this.parts;
    const host = catalog.host(entry.host);
    return this.alone(host, async () => {
      if (lifecycle.isBusy(host.name, 'archive'))
        throw new BusyError('TRASH_HOST_ARCHIVES', { host: host.name });
      const archive = await this.read(entry);
      const all = await archiving.archives.list({ host: host.name });
      const other = all.find(({ name }) => name === archive.name);
      if (other) throw new BusyError('TRASH_PLACE_TAKEN', { place: other.path });
      refuseUnkept(host, [...all, archive], { archive, entry });
      const { left } = await archiveTrash.moveOut(entry, archive);
      await archiving.archives.put(archive);
      if (left !== null)
        log.info('an archive came back from the trash without its copy', { ...factsOf(entry), left });
    });
  }

  destroy(entry: TrashEntry, reason: string): Promise<void> {
    const { catalog, archiveTrash, log } = this.parts;
    return this.alone(catalog.host(entry.host), async () => {
      const { left } = await archiveTrash.destroy(entry, await this.read(entry));
      const facts = { ...factsOf(entry), because: reason, left };
      log.info('an archive was removed from the trash for good', facts);
    });
  }

  /** The files are the truth: records follow them. */
  async settle(place: string): Promise<void> {
    const { catalog, archiveTrash, hold } = this.parts;
    for (const host of catalog.hosts()) {
      if (host.archivedir !== place || !hold.isOurs(host.name)) continue;
      await this.alone(host, async () => {
        await archiveTrash.tidy(place, host.name);
        for (const entry of await this.list({ host: host.name, place })) await this.settleRecord(entry);
      });
    }
  }

  /** A crash came between the tarball and its record, on the way in. */
  private async settleRecord(entry: TrashEntry): Promise<void> {
    const { archiving, archiveTrash } = this.parts;
    const recorded = await archiving.archives.get(entry.host, entry.snapshot);
    const inTrash = await archiveTrash.read(entry);
    if (!recorded || !inTrash || recorded.path !== inTrash.path) return;
    if (await archiveTrash.isTaken(recorded.path)) return;
    await archiving.archives.remove(entry.host, entry.snapshot);
  }

  private async read(entry: TrashEntry): Promise<ArchiveRecord> {
    const archive = await this.parts.archiveTrash.read(entry);
    if (!archive) throw new BusyError('TRASH_ENTRY_NOT_FOUND', { id: entry.id });
    return archive;
  }

  private alone<T>(host: Host, work: () => Promise<T>): Promise<T> {
    const { archiving, hold } = this.parts;
    return archiving.alone(host, async () => {
      await hold.require(host.name);
      return work();
    });
  }
}

function refuseUnkept(
  host: Host,
  all: readonly ArchiveRecord[],
  { archive, entry }: { readonly archive: ArchiveRecord; readonly entry: TrashEntry },
): void {
  const expired = expiredAmong(all, host).find((one) => one.archive === archive);
  if (!expired) return;
  const facts = { host: host.name, snapshot: archive.name, why: expired.reason, path: entry.path };
  throw new BusyError('TRASH_NOT_KEPT', facts);
}

function factsOf({ host, snapshot, id }: TrashEntry): Readonly<Record<string, string>> {
  return { host, snapshot, id };
}
