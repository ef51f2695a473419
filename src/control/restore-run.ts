/** The kind `restore`: brings files of a snapshot back to a host, or to a directory of the server. */
import { BusyError, toFailure } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { RestoreResult } from '../core/executor-port.js';
import { describeRestore, hostOfTarget, newRestore, type RestoreRecord } from '../core/restore.js';
import type { Progress, RunRecord } from '../core/run.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import { mirrorRefusal } from '../core/restore-plan.js';
import type { ActiveRun } from './active-run.js';
import type { KindOfRun, RunEnding, RunReports } from './kind-of-run.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import { stateOfStopped, stoppedBy } from './run-ends.js';

type Parts = Pick<LifecycleParts, 'executor' | 'logs' | 'growth' | 'catalog' | 'browser' | 'ownDirectories'>;

export function restoreRun(parts: Parts): KindOfRun {
  const { catalog } = parts;
  return {
    lane: 'restore',
    isGivenTime: false,
    writesTo: (run) => hostOfTarget(wishOf(run).target, run.host),
    describe: (run) => `${describeRestore(wishOf(run), run.host)} from ${run.snapshot} was asked for`,
    check: async (run) => {
      const host = catalog.host(run.host);
      const { record } = await parts.browser.snapshot(run.host, run.snapshot ?? '');
      const why = mirrorRefusal(wishOf(run), host, record);
      if (why !== null) throw new BusyError('MIRROR_REFUSED', { why });
    },
    begin: (run) => {
      const from = storedOf(parts, run) ? 'snapshot' : 'the archive of snapshot';
      return { changes: {}, line: `started: from ${from} ${run.snapshot}` };
    },
    carryOut: async (active, host, reports) =>
      endingOf(active, await carryOutRestore(parts, { active, host }, reports)),
  };
}

/** Whether a run that has not ended reads this snapshot, so that it must stay. */
export function readsSnapshot(
  run: RunRecord,
  { host, name }: Pick<SnapshotRecord, 'host' | 'name'>,
): boolean {
  return run.restore !== null && run.host === host && run.snapshot === name;
}

function wishOf({ restore }: RunRecord): RestoreRecord {
  return (
    restore ??
    newRestore({ paths: [], target: { kind: 'original' }, mode: 'never-overwrite', isDryRun: true })
  );
}

/** The snapshot; null when it is in an archive only, or gone meanwhile. Throws HOST_NOT_FOUND. */
function storedOf({ catalog }: Parts, { host, snapshot }: RunRecord): SnapshotRecord | null {
  return catalog.snapshots(host).find(({ name }) => name === snapshot) ?? null;
}

/** Never fails because of the executor: that is a result too. */
async function carryOutRestore(
  parts: Parts,
  { active, host }: { readonly active: ActiveRun; readonly host: Host },
  reports: RunReports,
): Promise<RestoreResult> {
  const { executor, logs, growth, catalog, ownDirectories } = parts;
  const { id: runId, snapshot } = active.record;
  const { paths, target, mode, isDryRun } = wishOf(active.record);
  const events = {
    onProgress: (progress: Progress): void => reports.note({ progress }),
    onLog: (): void => growth.grew(runId),
  };
  try {
    const written = hostOfTarget(target, host.name);
    const task = {
      runId,
      host,
      snapshot: snapshot ?? '',
      stored: storedOf(parts, active.record),
      wish: { paths, target, mode, isDryRun },
      target: written === null ? null : catalog.host(written),
      own: ownDirectories(),
      logFile: logs.path(runId),
    };
    return await executor.restore(task, events, active.abort.signal);
  } catch (error) {
    return { from: 'snapshot', counts: null, changes: [], changeCount: 0, error: toFailure(error) };
  }
}

function endingOf({ record, stopCause }: ActiveRun, { error, ...done }: RestoreResult): RunEnding {
  const restore = { ...wishOf(record), ...done };
  if (error === null) return { state: 'SUCCEEDED', changes: { restore } };
  if (error.reason === 'RESTORE_CANCELLED' || error.reason === 'CANCELLED') {
    const why = stopCause === 'on request' ? new BusyError('RESTORE_CANCELLED', { by: stopCause }) : null;
    const told = why ?? stoppedBy(stopCause, record.host);
    return { state: stateOfStopped(stopCause), changes: { restore, error: told.toFailure() } };
  }
  const state = error.reason === 'RESTORE_INCOMPLETE' ? 'PARTIAL' : 'FAILED';
  return { state, changes: { restore, error } };
}
