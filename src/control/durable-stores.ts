/**
 * The stores of runs and snapshots as the control plane sees them: what a backup that runs has to record is never
 * refused, however long the database is away. What would begin something new is.
 */
import { isDatabaseAway } from '../core/errors.js';
import type { RunStore, SnapshotStore } from '../core/ports.js';
import type { PendingWrites } from './pending-writes.js';

/**
 * The store of runs. While the database is away a move is taken for done, but for the one to RUNNING: only the
 * lifecycle moves its runs, one move after the other, so it knows their states as well as the database does.
 */
export function durableRuns(runs: RunStore, writes: PendingWrites): RunStore {
  return {
    add: (run) =>
      writes.after(async () => {
        try {
          await runs.add(run);
        } catch (error) {
          // The caller is told that there is no run; where it was added after all, it is taken out again.
          if (isDatabaseAway(error)) await writes.keep(() => runs.withdraw(run.id), undefined);
          throw error;
        }
      }),
    withdraw: (id) => writes.keep(() => runs.withdraw(id), undefined),
    get: (id) => writes.after(() => runs.get(id)),
    getByRequestId: (requestId) => writes.after(() => runs.getByRequestId(requestId)),
    list: (filter) => writes.after(() => runs.list(filter)),
    newestOfEachHost: (kind) => writes.after(() => runs.newestOfEachHost(kind)),
    highestRevision: () => writes.after(() => runs.highestRevision()),
    hostsBefore: (id) => writes.after(() => runs.hostsBefore(id)),
    known: (ids) => writes.after(() => runs.known(ids)),
    remove: (ids) => writes.after(() => runs.remove(ids)),
    move: (id, from, to, revision, changes) => {
      const write = (): Promise<boolean> => runs.move(id, from, to, revision, changes);
      return to === 'RUNNING' ? beginning(id, write, { runs, writes, revision }) : writes.keep(write, true);
    },
  };
}

/** The store of snapshots: those on the disk are recorded, those gone from it are forgotten, sooner or later. */
export function durableSnapshots(snapshots: SnapshotStore, writes: PendingWrites): SnapshotStore {
  return {
    put: (snapshot) => writes.keep(() => snapshots.put(snapshot), undefined),
    remove: (host, name) => writes.keep(() => snapshots.remove(host, name), undefined),
    list: (host) => writes.after(() => snapshots.list(host)),
    settled: () => writes.after(() => snapshots.settled()),
  };
}

interface Beginning {
  readonly runs: RunStore;
  readonly writes: PendingWrites;
  readonly revision: number;
}

/** A run that cannot begin goes on waiting, also in a database that heard of its beginning and could not say so. */
function beginning(
  id: string,
  write: () => Promise<boolean>,
  { runs, writes, revision }: Beginning,
): Promise<boolean> {
  return writes.after(async () => {
    try {
      return await write();
    } catch (error) {
      const asBefore = { type: null, typeReason: '', startedAt: null };
      const takeBack = (): Promise<boolean> => runs.move(id, ['RUNNING'], 'QUEUED', revision, asBefore);
      if (isDatabaseAway(error)) await writes.keep(takeBack, true);
      throw error;
    }
  });
}
