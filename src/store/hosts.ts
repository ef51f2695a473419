/** The hosts in the database. Each method is one statement or one transaction, so none of them can be half done. */
import type { HostStore } from '../core/ports.js';
import type { HostSettings, StoredHost } from '../core/stored-host.js';
import type { Database } from './data-source.js';
import { HostEntity, TrashedHostEntity, type HostRow } from './host-entity.js';

/** The port HostStore over a database. All methods throw a DatabaseError when the database fails. */
export function createHostStore(database: Database): HostStore {
  return {
    list: () =>
      database.run(async (manager) => {
        const rows = await manager.find(HostEntity, { order: { name: 'ASC' } });
        return rows.map(toStoredHost);
      }),
    get: (name) =>
      database.run(async (manager) => {
        const row = await manager.findOneBy(HostEntity, { name });
        return row && toStoredHost(row);
      }),
    add: (host) =>
      database.run(async (manager) => {
        await manager.insert(HostEntity, { ...host, settings: JSON.stringify(host.settings) });
      }),
    replace: ({ name, settings, etag: nextEtag, updatedAt }, etag) =>
      database.run(async (manager) => {
        const changes = { settings: JSON.stringify(settings), etag: nextEtag, updatedAt };
        const { affected } = await manager.update(HostEntity, { name, etag }, changes);
        return affected === 1;
      }),
    trash: (name, etag, mark) =>
      database.run((manager) =>
        manager.transaction(async (transaction) => {
          const row = await transaction.findOneBy(HostEntity, { name, etag });
          const { affected } = await transaction.delete(HostEntity, { name, etag });
          if (!row || affected !== 1) return false;
          await transaction.insert(TrashedHostEntity, { ...row, ...mark });
          return true;
        }),
      ),
    trashed: () =>
      database.run(async (manager) => {
        const rows = await manager.find(TrashedHostEntity, { order: { id: 'ASC' } });
        return rows.map(({ id, putAt, putBy, ...row }) => ({ id, putAt, putBy, host: toStoredHost(row) }));
      }),
    untrash: (id) =>
      database.run((manager) =>
        manager.transaction(async (transaction) => {
          const row = await transaction.findOneBy(TrashedHostEntity, { id });
          const { affected } = await transaction.delete(TrashedHostEntity, { id });
          if (!row || affected !== 1) return false;
          const { id: _, putAt: _at, putBy: _by, ...host } = row;
          await transaction.insert(HostEntity, host);
          return true;
        }),
      ),
    removeTrashed: (id) =>
      database.run(async (manager) => {
        const { affected } = await manager.delete(TrashedHostEntity, { id });
        return affected === 1;
      }),
  };
}

function toStoredHost(row: HostRow): StoredHost {
  return { ...row, settings: JSON.parse(row.settings) as HostSettings };
}
