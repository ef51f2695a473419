/** The archives in the database; the files in the archive directories are the truth that this is an index of. */
import { And, In, LessThan, MoreThan } from 'typeorm';
import type { ArchiveStore } from '../core/archive-ports.js';
import { faultPoint } from '../fault-points.js';
import { ArchiveEntity } from './archive-entity.js';
import type { Database } from './data-source.js';

/** The port ArchiveStore over a database. All methods throw a DatabaseError when the database fails. */
export function createArchiveStore(database: Database): ArchiveStore {
  return {
    put: (archive) =>
      database.run(async (manager) => {
        await manager.upsert(ArchiveEntity, { ...archive }, ['host', 'name']);
        faultPoint('archive is recorded');
      }),
    remove: (host, name) =>
      database.run(async (manager) => {
        await manager.delete(ArchiveEntity, { host, name });
      }),
    get: (host, name) => database.run((manager) => manager.findOneBy(ArchiveEntity, { host, name })),
    list: ({ host, hosts, after, limit }) =>
      database.run((manager) => {
        const ofHost = host === undefined ? (hosts ? { host: In([...hosts]) } : {}) : { host };
        // Those of one time sort by host.
        const where = after
          ? [
              { ...ofHost, name: LessThan(after.name) },
              {
                name: after.name,
                host: hosts ? And(MoreThan(after.host), In([...hosts])) : MoreThan(after.host),
              },
            ].filter((_, index) => host === undefined || index === 0)
          : ofHost;
        return manager.find(ArchiveEntity, {
          where,
          order: { name: 'DESC', host: 'ASC' },
          ...(limit !== undefined && { take: limit }),
        });
      }),
  };
}
