/** The hosts in the database. Each method is one statement, so none of them can be half done. */
import type { HostStore } from '../core/ports.js';
import type { HostSettings, StoredHost } from '../core/stored-host.js';
import type { Database } from './data-source.js';
import { HostEntity, type HostRow } from './host-entity.js';

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
    remove: (name, etag) =>
      database.run(async (manager) => {
        const { affected } = await manager.delete(HostEntity, { name, etag });
        return affected === 1;
      }),
  };
}

function toStoredHost(row: HostRow): StoredHost {
  return { ...row, settings: JSON.parse(row.settings) as HostSettings };
}
