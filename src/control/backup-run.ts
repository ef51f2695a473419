/**
 * The kind `backup`: decides the type, hands the run to the executor, and brings back its result, also when the
 * executor dies over it.
 */
import { DueRules } from '../core/due.js';
import { toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { BackupResult } from '../core/executor-port.js';
import type { Progress, RunRecord } from '../core/run.js';
import type { BackupType, SnapshotRecord } from '../core/snapshot.js';
import { stopWhenLate, type ActiveRun } from './active-run.js';
import type { KindOfRun, RunReports } from './kind-of-run.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import { judgeLoss } from './lost-host.js';
import { closedFor, endingOf } from './run-ends.js';

type Parts = Pick<
  LifecycleParts,
  | 'executor'
  | 'logs'
  | 'growth'
  | 'scripts'
  | 'secretPlaces'
  | 'space'
  | 'findCommitted'
  | 'catalog'
  | 'quietDisk'
  | 'lookFor'
  | 'onError'
  | 'clock'
>;

export function backupRun(parts: Parts): KindOfRun {
  const { catalog, clock } = parts;
  const rules = new DueRules();
  return {
    lane: 'backup',
    isGivenTime: true,
    writesTo: () => null,
    describe: ({ host, requestedType }) => `backup of ${host} was asked for (${requestedType})`,
    check: () => {},
    begin: (run, host) => {
      const now = clock.now();
      const refusal = closedFor(run, host, now);
      if (refusal) return { refusal };
      const facts = { host, snapshots: catalog.snapshots(host.name), now };
      const { type, reason } = rules.typeNow(facts, run.requestedType);
      return { changes: { type, typeReason: reason }, line: `started: ${type}, since ${reason}` };
    },
    carryOut: async (active, host, reports) => {
      const result = await carryOutBackup(parts, { active, host }, reports);
      if (result.snapshot) await catalog.record(result.snapshot);
      return endingOf(active.record, result, active.stopCause);
    },
  };
}

/** Never fails because of the executor: that is a result too. */
async function carryOutBackup(
  parts: Parts,
  { active, host }: { readonly active: ActiveRun; readonly host: Host },
  reports: RunReports,
): Promise<BackupResult> {
  const { executor, logs, growth, scripts } = parts;
  const { id } = active.record;
  const { acceptsChanges } = active.record;
  const type = active.record.type ?? 'full';
  const events = {
    onProgress: (progress: Progress): void => reports.note({ progress }),
    onJobs: (jobs: RunRecord['jobs']): void => reports.note({ jobs }),
    onLog: (): void => growth.grew(id),
    askForRoom: (madeType: BackupType) => {
      const { signal } = active.abort;
      return parts.space.admit({ runId: id, host, type: madeType, signal, say: (text) => reports.say(text) });
    },
    beforePostBackup: (snapshot: SnapshotRecord | null) => beforePostBackup(parts, host, snapshot),
  };
  const late = stopWhenLate(active, host);
  try {
    const result = await executor.backUp(
      {
        runId: id,
        host,
        type,
        scripts: scripts(),
        acceptsChanges,
        secretPlaces: parts.secretPlaces(),
        logFile: logs.path(id),
      },
      events,
      active.abort.signal,
    );
    return await judgeLoss(parts, host, result, active.abort.signal);
  } catch (error) {
    // The executor is gone, but it may have committed before.
    const committed = await parts.findCommitted(host, id);
    const failure = toBusyError(error);
    await reports.say(`${failure.reason}: ${failure.message} ${failure.advice}`);
    const snapshot = committed?.snapshot ?? null;
    const jobs = committed && committed.jobs.length > 0 ? committed.jobs : active.record.jobs;
    return { jobs, type: snapshot?.type ?? type, snapshot, error: failure.toFailure() };
  } finally {
    clearTimeout(late);
    parts.space.release(id);
  }
}

async function beforePostBackup(
  { catalog, quietDisk, onError }: Parts,
  host: Host,
  snapshot: SnapshotRecord | null,
): Promise<void> {
  try {
    if (snapshot) await catalog.record(snapshot);
    await quietDisk(host, snapshot !== null);
  } catch (error) {
    onError('a backup disk could not be made ready for post-backup', error);
  }
}
