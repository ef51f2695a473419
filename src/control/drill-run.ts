/** The kind `drill`: restores a sample of a snapshot into a scratch directory and compares it with the manifest. */
import { newDrill } from '../core/drill.js';
import { BusyError, toFailure } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { DrillResult } from '../core/executor-port.js';
import type { Progress, RunRecord } from '../core/run.js';
import { isHeld, type SnapshotRecord } from '../core/snapshot.js';
import type { ActiveRun } from './active-run.js';
import type { KindOfRun, RunEnding, RunReports } from './kind-of-run.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import { stateOfStopped, stoppedBy } from './run-ends.js';

type Parts = Pick<LifecycleParts, 'executor' | 'logs' | 'growth' | 'catalog'>;

export function drillRun(parts: Parts): KindOfRun {
  const { catalog } = parts;
  return {
    lane: 'drill',
    isGivenTime: false,
    writesTo: () => null,
    describe: ({ host, snapshot }) =>
      `a restore drill of ${snapshot ?? `the newest snapshot of ${host}`} was asked for`,
    check: ({ host, snapshot }) => void snapshotToDrill(catalog, host, snapshot),
    begin: ({ host, snapshot: asked }) => {
      try {
        const { name } = snapshotToDrill(catalog, host, asked);
        return { changes: { snapshot: name }, line: `started: restores from ${name}` };
      } catch (error) {
        if (error instanceof BusyError) return { refusal: error };
        throw error;
      }
    },
    carryOut: async (active, host, reports) =>
      endingOf(active, await carryOutDrill(parts, active, host, reports)),
  };
}

/** The newest good one that can be compared, if none is named. Throws SNAPSHOT_NOT_FOUND or NOTHING_TO_DRILL. */
function snapshotToDrill(catalog: Parts['catalog'], host: string, name: string | null): SnapshotRecord {
  const snapshots = name === null ? catalog.snapshots(host) : [catalog.snapshot(host, name)];
  const isFit = (snapshot: SnapshotRecord): boolean =>
    snapshot.manifest !== null && (name !== null || !isHeld(snapshot));
  const found = snapshots.find(isFit);
  if (found) return found;
  if (name === null) throw new BusyError('NOTHING_TO_DRILL', { host });
  throw new BusyError('SNAPSHOT_UNVERIFIABLE', { host, snapshot: name });
}

/** Never fails because of the executor: that is a result too. */
async function carryOutDrill(
  { executor, logs, growth, catalog }: Parts,
  active: ActiveRun,
  host: Host,
  reports: RunReports,
): Promise<DrillResult> {
  const { id: runId, snapshot, drill } = active.record;
  const events = {
    onProgress: (progress: Progress): void => reports.note({ progress }),
    onLog: (): void => growth.grew(runId),
  };
  const asked = drill ?? newDrill(runId);
  try {
    const task = {
      runId,
      host,
      snapshot: snapshotToDrill(catalog, host.name, snapshot),
      drill: asked,
      logFile: logs.path(runId),
    };
    return await executor.drill(task, events, active.abort.signal);
  } catch (error) {
    return { drill: asked, error: toFailure(error) };
  }
}

function endingOf({ record, stopCause }: ActiveRun, { drill, error }: DrillResult): RunEnding {
  if (error === null) return { state: 'SUCCEEDED', changes: { drill } };
  if (error.reason !== 'CANCELLED') return { state: 'FAILED', changes: { drill, error } };
  return {
    state: stateOfStopped(stopCause),
    changes: { drill, error: stoppedBy(stopCause, record.host).toFailure() },
  };
}

/** Whether a run has proven that a restore works. */
export function isProof({ kind, state }: Pick<RunRecord, 'kind' | 'state'>): boolean {
  return kind === 'drill' && state === 'SUCCEEDED';
}
