/** The runs in the database. Each method is one statement, so none of them can be half done. */
import { type EntityManager, In, LessThan, MoreThan } from 'typeorm';
import type { RunFilter, RunStore } from '../core/ports.js';
import type { RunKind, RunRecord } from '../core/run.js';
import { faultPoint } from '../fault-points.js';
import type { Database } from './data-source.js';
import { RunEntity } from './run-entity.js';

/** The port RunStore over a database. All methods throw a DatabaseError when the database fails. */
export function createRunStore(database: Database): RunStore {
  return {
    add: (run) =>
      database.run(async (manager) => {
        await manager.insert(RunEntity, { ...run });
        faultPoint('run is QUEUED');
      }),
    withdraw: (id) =>
      database.run(async (manager) => {
        await manager.delete(RunEntity, { id, state: 'QUEUED' });
      }),
    get: (id) => database.run((manager) => manager.findOneBy(RunEntity, { id })),
    getByRequestId: (requestId) => database.run((manager) => manager.findOneBy(RunEntity, { requestId })),
    list: (filter) => database.run((manager) => list(manager, filter)),
    newestOfEachHost: (kind) => database.run((manager) => newestOfEachHost(manager, kind)),
    move: (id, from, to, revision, changes) =>
      database.run(async (manager) => {
        const expected = { id, state: In([...from]) };
        const { affected } = await manager.update(RunEntity, expected, { ...changes, state: to, revision });
        if (to === 'RUNNING' || to === 'SUCCEEDED') faultPoint(`run is ${to}`);
        return affected === 1;
      }),
    highestRevision: () =>
      database.run(async (manager) => (await manager.maximum(RunEntity, 'revision')) ?? 0),
  };
}

function list(manager: EntityManager, filter: RunFilter): Promise<RunRecord[]> {
  return manager.find(RunEntity, {
    where: {
      ...(filter.host !== undefined && { host: filter.host }),
      ...(filter.kind !== undefined && { kind: filter.kind }),
      ...(filter.states && { state: In([...filter.states]) }),
      ...(filter.beforeId !== undefined && { id: LessThan(filter.beforeId) }),
      ...(filter.afterRevision !== undefined && { revision: MoreThan(filter.afterRevision) }),
    },
    order: { id: 'DESC' },
    ...(filter.limit !== undefined && { take: filter.limit }),
  });
}

function newestOfEachHost(manager: EntityManager, kind: RunKind): Promise<RunRecord[]> {
  const query = manager.createQueryBuilder(RunEntity, 'run');
  const newest = query
    .subQuery()
    .select('MAX(other.id)')
    .from(RunEntity, 'other')
    .where('other.kind = :kind')
    .groupBy('other.host');
  return query.where(`run.id IN ${newest.getQuery()}`, { kind }).orderBy('run.id', 'DESC').getMany();
}
