/** Says of snapshots that lie on the disks and are not on record; a part of the composition root. */
import type { Catalog } from './control/catalog.js';
import type { HostHold } from './control/host-claims.js';
import type { RunLifecycle } from './control/run-lifecycle.js';
import type { Host } from './core/host.js';
import { committedNames } from './execute/store-index.js';
import type { Logger } from './log.js';

export interface StrayParts {
  readonly catalog: Pick<Catalog, 'hosts' | 'snapshots'>;
  readonly hold: Pick<HostHold, 'isOurs'>;
  readonly lifecycle: Pick<RunLifecycle, 'isBusy'>;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Looks once at all hosts, for example after the database was lost or an older one put back: nothing is removed of what
 * is not on record, but nothing of it is listed either. Not to be waited for, since a disk may hang. Never throws.
 */
export async function warnOfStrays(parts: StrayParts): Promise<void> {
  const hosts = parts.catalog.hosts();
  const disks = [...new Set(hosts.map(({ backupdir }) => backupdir))];
  const onDisk = (disk: string): Host[] => hosts.filter(({ backupdir }) => backupdir === disk);
  await Promise.all(disks.map((disk) => lookAt(onDisk(disk), parts)));
}

async function lookAt(hosts: readonly Host[], { catalog, hold, lifecycle, log }: StrayParts): Promise<void> {
  for (const host of hosts) {
    const names = await committedNames(host);
    // What a backup has committed just now is not on record yet.
    if (!hold.isOurs(host.name) || lifecycle.isBusy(host.name)) continue;
    const known = new Set(catalog.snapshots(host.name).map(({ name }) => name));
    const count = names.filter((name) => !known.has(name)).length;
    if (count > 0)
      log.warn('there are snapshots on the disk that are not on record: stop busyd and call busyd reindex', {
        host: host.name,
        count,
      });
  }
}
