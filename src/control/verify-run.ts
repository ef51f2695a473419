/**
 * The kinds `verify` and `scrub`: compares snapshots of a host with their manifests, all that is in one or all of
 * them, or the share of one night.
 */
import { counted } from '../core/figures.js';
import { BusyError, toFailure } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { VerifyResult } from '../core/executor-port.js';
import type { Progress, RunRecord } from '../core/run.js';
import type { VerifiedSnapshot } from '../core/verification.js';
import type { ActiveRun } from './active-run.js';
import type { Catalog } from './catalog.js';
import type { KindOfRun, RunEnding, RunReports } from './kind-of-run.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import { stateOfStopped, stoppedBy } from './run-ends.js';

type Parts = Pick<LifecycleParts, 'executor' | 'logs' | 'growth' | 'catalog' | 'onError'>;

export function verifyRun(parts: Parts): KindOfRun {
  const { catalog } = parts;
  const targets = ({ kind, host, snapshot }: RunRecord): string[] => {
    if (snapshot !== null) return [catalog.snapshot(host, snapshot).name];
    const all = catalog.snapshots(host).toReversed();
    return all.filter(({ manifest }) => kind === 'verify' || manifest !== null).map(({ name }) => name);
  };
  return {
    lane: 'verification',
    isGivenTime: false,
    writesTo: () => null,
    describe: (run) => `${whatOf(run)} was asked for`,
    check: (run) => {
      if (targets(run).length === 0) throw new BusyError('NOTHING_TO_VERIFY', { host: run.host });
    },
    begin: (run) => ({ changes: {}, line: `started: ${counted(targets(run).length, 'snapshot')}` }),
    carryOut: async (active, host, reports) => {
      const result = await carryOutVerification(
        parts,
        { active, host, snapshots: targets(active.record) },
        reports,
      );
      for (const found of result.verified) await note(parts, host, found);
      return endingOf(active, result);
    },
  };
}

function whatOf({ kind, host, snapshot }: RunRecord): string {
  if (kind === 'scrub') return `the share of a scrub of ${host}`;
  return `verification of ${snapshot === null ? `all snapshots of ${host}` : `${snapshot} of ${host}`}`;
}

/** Never fails because of the executor: that is a result too. */
async function carryOutVerification(
  { executor, logs, growth }: Parts,
  work: { readonly active: ActiveRun; readonly host: Host; readonly snapshots: readonly string[] },
  reports: RunReports,
): Promise<VerifyResult> {
  const { active, host, snapshots } = work;
  const { id: runId, kind } = active.record;
  const task = { runId, host, snapshots, isScrub: kind === 'scrub', logFile: logs.path(runId) };
  const events = {
    onProgress: (progress: Progress): void => reports.note({ progress }),
    onLog: (): void => growth.grew(runId),
  };
  try {
    return await executor.verify(task, events, active.abort.signal);
  } catch (error) {
    return { verification: null, verified: [], error: toFailure(error) };
  }
}

/** The catalog repeats what the disk knows. */
async function note({ catalog, onError }: Parts, host: Host, found: VerifiedSnapshot): Promise<void> {
  try {
    const known = catalog.snapshot(host.name, found.name);
    if (isKnown(known, found)) return;
    await catalog.record({ ...known, ...found });
  } catch (error) {
    // It may have been removed meanwhile.
    if (error instanceof BusyError && error.reason.endsWith('_NOT_FOUND')) return;
    onError('what was verified could not be recorded', error);
  }
}

function isKnown(known: ReturnType<Catalog['snapshot']>, found: VerifiedSnapshot): boolean {
  const isSameTime = known.verifiedAt?.getTime() === found.verifiedAt?.getTime();
  return isSameTime && known.damagedFileCount === found.damagedFileCount;
}

function endingOf({ record, stopCause }: ActiveRun, { verification, error }: VerifyResult): RunEnding {
  if (error === null) return { state: 'SUCCEEDED', changes: { verification } };
  if (error.reason === 'CANCELLED')
    return {
      state: stateOfStopped(stopCause),
      changes: { verification, error: stoppedBy(stopCause, record.host).toFailure() },
    };
  const state = error.reason === 'SNAPSHOT_CHANGED' ? 'PARTIAL' : 'FAILED';
  return { state, changes: { verification, error } };
}
