/** The runs in the database. Each method is one statement, so none of them can be half done. */
import { type EntityManager, In, LessThan, MoreThan, Not } from 'typeorm';
import type { RunFilter, RunStore } from '../core/ports.js';
import { activeStates, type RunKind, type RunRecord, type RunState } from '../core/run.js';
import { faultPoint } from '../fault-points.js';
import type { Database } from './data-source.js';
import { RunEntity } from './run-entity.js';

/**
 * The port RunStore over a database. All methods throw a DatabaseError when the database fails. Where daemons share the
 * database, `lease` answers the lease of this one: then it adds runs as its own, changes only those, and a run begins
 * only while the lease holds the host.
 */
export function createRunStore(database: Database, lease?: () => number): RunStore {
  return {
    add: (run) =>
      database.run(async (manager) => {
        await manager.insert(RunEntity, { ...run, lease: lease?.() ?? null });
        faultPoint('run is QUEUED');
      }),
    withdraw: (id) =>
      database.run(async (manager) => {
        await manager.delete(RunEntity, { id, state: 'QUEUED' });
      }),
    get: (id) => database.run((manager) => manager.findOneBy(RunEntity, { id })),
    getByRequestId: (requestId) => database.run((manager) => manager.findOneBy(RunEntity, { requestId })),
    list: (filter) => database.run((manager) => list(manager, filter, lease?.())),
    newestOfEachHost: (kind, state) => database.run((manager) => newestOfEachHost(manager, kind, state)),
    move: (id, from, to, revision, changes) =>
      database.run(async (manager) => {
        const own = lease?.();
        const expected = { id, state: In([...from]), ...(own !== undefined && { lease: own }) };
        const update = manager
          .createQueryBuilder()
          .update(RunEntity)
          .set({ ...changes, state: to, revision })
          .where(expected);
        if (own !== undefined && to === 'RUNNING') update.andWhere(holdsHost, { own });
        const { affected } = await update.execute();
        if (to === 'RUNNING' || to === 'SUCCEEDED') faultPoint(`run is ${to}`);
        return affected === 1;
      }),
    highestRevision: () =>
      database.run(async (manager) => (await manager.maximum(RunEntity, 'revision')) ?? 0),
    hostsBefore: (id) => database.run((manager) => hostsBefore(manager, id)),
    known: (ids) =>
      database.run(async (manager) => {
        const found = await manager.find(RunEntity, { select: { id: true }, where: { id: In([...ids]) } });
        return found.map((run) => run.id);
      }),
    remove: (ids) =>
      database.run(async (manager) => {
        const id = In([...ids]);
        if (ids.length > 0) await manager.delete(RunEntity, { id, state: Not(In([...activeStates])) });
      }),
  };
}

/** What a daemon that lost its lease meanwhile must not get past. */
const holdsHost =
  'EXISTS (SELECT 1 FROM host_leases h JOIN daemon_leases d ON d.lease = h.lease ' +
  'WHERE h.host = runs.host AND h.lease = :own)';

function list(manager: EntityManager, filter: RunFilter, lease: number | undefined): Promise<RunRecord[]> {
  return manager.find(RunEntity, {
    where: {
      ...(filter.hosts && { host: In([...filter.hosts]) }),
      ...(filter.host !== undefined && { host: filter.host }),
      ...(filter.kind !== undefined && { kind: filter.kind }),
      ...(filter.states && { state: In([...filter.states]) }),
      ...(filter.beforeId !== undefined && { id: LessThan(filter.beforeId) }),
      ...(filter.afterRevision !== undefined && { revision: MoreThan(filter.afterRevision) }),
      ...(filter.isOurs === true && lease !== undefined && { lease }),
    },
    order: { id: 'DESC' },
    ...(filter.limit !== undefined && { take: filter.limit }),
  });
}

function newestOfEachHost(manager: EntityManager, kind: RunKind, state?: RunState): Promise<RunRecord[]> {
  const query = manager.createQueryBuilder(RunEntity, 'run');
  const newest = query
    .subQuery()
    .select('MAX(other.id)')
    .from(RunEntity, 'other')
    .where(state === undefined ? 'other.kind = :kind' : 'other.kind = :kind AND other.state = :state')
    .groupBy('other.host');
  return query.where(`run.id IN ${newest.getQuery()}`, { kind, state }).orderBy('run.id', 'DESC').getMany();
}

async function hostsBefore(manager: EntityManager, id: string): Promise<string[]> {
  const query = manager.createQueryBuilder(RunEntity, 'run').select('run.host', 'host').distinct();
  const rows = await query.where('run.id < :id', { id }).getRawMany<{ host: string }>();
  return rows.map(({ host }) => host);
}
