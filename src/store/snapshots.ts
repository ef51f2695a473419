/** The committed snapshots in the database; the directories on disk are the truth that this is an index of. */
import type { SnapshotStore } from '../core/ports.js';
import { faultPoint } from '../fault-points.js';
import type { Database } from './data-source.js';
import { SnapshotEntity } from './snapshot-entity.js';

/** The port SnapshotStore over a database. All methods throw a DatabaseError when the database fails. */
export function createSnapshotStore(database: Database): SnapshotStore {
  return {
    put: (snapshot) =>
      database.run(async (manager) => {
        await manager.upsert(SnapshotEntity, { ...snapshot }, ['host', 'name']);
        faultPoint('snapshot is recorded');
      }),
    remove: (host, name) =>
      database.run(async (manager) => {
        await manager.delete(SnapshotEntity, { host, name });
        faultPoint('snapshot is forgotten');
      }),
    settled: () => Promise.resolve(),
    list: (host) =>
      database.run((manager) =>
        manager.find(SnapshotEntity, {
          where: host === undefined ? {} : { host },
          order: { name: 'DESC', host: 'ASC' },
        }),
      ),
  };
}
