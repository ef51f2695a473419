/** The kind `drill`: restores a sample of a snapshot into a scratch directory and compares it with the manifest. */
import type { FoundSnapshot } from '../core/browse.js';
import { newDrill } from '../core/drill.js';
import { BusyError, toFailure } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { DrillResult } from '../core/executor-port.js';
import type { Progress, RunRecord } from '../core/run.js';
import { isHeld } from '../core/snapshot.js';
import type { ActiveRun } from './active-run.js';
import type { KindOfRun, RunEnding, RunReports } from './kind-of-run.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import { stateOfStopped, stoppedBy } from './run-ends.js';

type Parts = Pick<LifecycleParts, 'executor' | 'logs' | 'growth' | 'catalog' | 'browser'>;

export function drillRun(parts: Parts): KindOfRun {
  return {
    lane: 'drill',
    isGivenTime: false,
    writesTo: () => null,
    describe: ({ host, snapshot }) =>
      `a restore drill of ${snapshot ?? `the newest snapshot of ${host}`} was asked for`,
    check: async ({ host, snapshot }) => void (await snapshotToDrill(parts, host, snapshot)),
    begin: ({ host, snapshot: asked }) => {
      try {
        const name = asked ?? newestToDrill(parts, host);
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

/** The newest good one that can be compared. Throws HOST_NOT_FOUND or NOTHING_TO_DRILL. */
function newestToDrill({ catalog }: Pick<Parts, 'catalog'>, host: string): string {
  const found = catalog.snapshots(host).find((one) => one.manifest !== null && !isHeld(one));
  if (!found) throw new BusyError('NOTHING_TO_DRILL', { host });
  return found.name;
}

/** Throws HOST_NOT_FOUND, SNAPSHOT_NOT_FOUND, SNAPSHOT_UNVERIFIABLE or NOTHING_TO_DRILL. */
async function snapshotToDrill(
  parts: Pick<Parts, 'catalog' | 'browser'>,
  host: string,
  asked: string | null,
): Promise<FoundSnapshot> {
  const name = asked ?? newestToDrill(parts, host);
  const found = await parts.browser.snapshot(host, name);
  if (found.record.manifest === null) throw new BusyError('SNAPSHOT_UNVERIFIABLE', { host, snapshot: name });
  return found;
}

/** Never fails because of the executor: that is a result too. */
async function carryOutDrill(
  parts: Parts,
  active: ActiveRun,
  host: Host,
  reports: RunReports,
): Promise<DrillResult> {
  const { executor, logs, growth } = parts;
  const { id: runId, snapshot, drill } = active.record;
  const events = {
    onProgress: (progress: Progress): void => reports.note({ progress }),
    onLog: (): void => growth.grew(runId),
  };
  const asked = drill ?? newDrill(runId);
  try {
    const { record, isArchived } = await snapshotToDrill(parts, host.name, snapshot);
    const task = {
      runId,
      host,
      snapshot: record,
      isArchived,
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
