/** Hosts of the database that a call deleted: their settings stay in the database, marked as being in the trash. */
import { BusyError } from '../core/errors.js';
import type { HostStore } from '../core/ports.js';
import type { TrashEntry } from '../core/trash.js';
import type { HostRegistry } from './host-registry.js';
import type { PrunerLog } from './pruner.js';
import type { TrashBin } from './trash.js';

export interface TrashedHostsParts {
  readonly store: Pick<HostStore, 'trashed' | 'removeTrashed'>;
  readonly registry: Pick<HostRegistry, 'restore'>;
  readonly log: Pick<PrunerLog, 'info'>;
}

export function trashedHosts({ store, registry, log }: TrashedHostsParts): TrashBin {
  return {
    places: () => ['the database'],
    list: async (filter) => {
      const all = (await store.trashed()).filter(
        ({ host }) => filter.host === undefined || host.name === filter.host,
      );
      return all.map(({ id, putAt, putBy, host }): TrashEntry => ({
        id,
        putAt,
        putBy,
        kind: 'host',
        host: host.name,
        snapshot: '',
        path: '',
      }));
    },
    isOurs: () => true,
    restore: ({ id }) => registry.restore(id),
    destroy: async ({ id, host }, reason) => {
      if (!(await store.removeTrashed(id))) throw new BusyError('TRASH_ENTRY_NOT_FOUND', { id });
      log.info('the settings of a host were removed from the trash for good', { host, id, because: reason });
    },
    // Each change is one transaction.
    settle: () => Promise.resolve(),
  };
}
