/**
 * A run that compares snapshots with their manifests, as a whole or in the share of one night, and remembers on the
 * disk what it has found.
 */
import { join } from 'node:path';
import { BusyError, toBusyError, type Failure } from '../core/errors.js';
import type { ManifestTotals } from '../core/manifest.js';
import type { RunEventsTaker, VerifyResult, VerifyTask } from '../core/executor-port.js';
import type { Clock } from '../core/ports.js';
import { partCount, partsForNow } from '../core/scrub.js';
import { describeVerification, failureOfVerification } from '../core/verification-outcome.js';
import type { VerificationRecord } from '../core/verification.js';
import type { ComparedSnapshot, ComparisonReport } from './comparison.js';
import { recordFindings } from './damage.js';
import { DiskMeter } from './disk-meter.js';
import { workOnDisk } from './disk-thread.js';
import { openRunLogFile, type RunLogFile } from './run-log-file.js';
import { orUnusable, readHostStore } from './snapshot-dir.js';
import { readSnapshotJson, readSnapshots } from './snapshot-json.js';
import { readPartTimes } from './snapshot-verification.js';

/** Carries a verification out. What goes wrong is a result, not an exception. */
export async function verify(
  task: VerifyTask,
  events: RunEventsTaker,
  signal: AbortSignal,
  clock: Clock,
): Promise<VerifyResult> {
  const log = openRunLogFile(task.logFile, clock, () => events.onLog());
  try {
    return await verifyAll({ task, events, signal, clock, log });
  } catch (error) {
    const failure = signal.aborted ? new BusyError('CANCELLED', {}, { cause: error }) : toBusyError(error);
    return { verification: null, verified: [], error: failure.toFailure() };
  } finally {
    await log.close();
  }
}

interface Verification {
  readonly task: VerifyTask;
  readonly events: RunEventsTaker;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: RunLogFile;
}

async function verifyAll(verification: Verification): Promise<VerifyResult> {
  const { task, clock, log } = verification;
  const store = join(task.host.backupdir, task.host.name);
  const startedAt = clock.now();
  await orUnusable(task.host.backupdir, () => readHostStore(store));
  const times = await readPartTimes(store);
  const parts = task.isScrub ? partsForNow(times, task.host.verifyEvery, startedAt) : null;
  if (parts) log.say(`reads ${parts.length} of ${partCount} parts, those that were read longest ago`);
  const report = await compare(verification, store, parts);
  await remembering(log, () =>
    recordFindings({ store, compared: report.snapshots, parts, verifiedAt: startedAt }),
  );
  const record = toRecord(report);
  for (const line of describeVerification(record)) log.say(line);
  return {
    verification: record,
    verified: await knownBy(task, store),
    error: failureOf(task, report, record),
  };
}

async function compare(
  { task, events, signal, clock, log }: Verification,
  store: string,
  parts: readonly number[] | null,
): Promise<ComparisonReport> {
  const snapshots = task.snapshots.map((name) => ({ name, directory: join(store, name) }));
  const manifests = await Promise.all(snapshots.map(({ directory }) => manifestOf(directory)));
  const share = parts ? parts.length / partCount : 1;
  const sum = (count: (totals: ManifestTotals) => number): number =>
    manifests.reduce((all, totals) => all + (totals ? count(totals) : 0), 0) * share;
  const expected = { entries: sum(({ entries }) => entries), bytes: sum(({ bytes }) => bytes), jobs: 0 };
  const meter = new DiskMeter('verify', expected, clock, (progress) => events.onProgress(progress));
  const report = await workOnDisk(
    'comparison',
    {
      snapshots: snapshots.map((snapshot, at) => ({ ...snapshot, mustHaveManifest: manifests[at] !== null })),
      parts,
    },
    { signal, isIdle: true, say: (text) => log.say(text), onProgress: (done) => meter.add(done) },
  );
  meter.end();
  return report;
}

async function manifestOf(directory: string): Promise<ManifestTotals | null> {
  return (await readSnapshotJson(directory))?.manifest ?? null;
}

function toRecord(report: ComparisonReport): VerificationRecord {
  const named = (state: ComparedSnapshot['state']): string[] =>
    report.snapshots.filter((snapshot) => snapshot.state === state).map(({ name }) => name);
  return {
    snapshots: named('compared'),
    unverifiable: named('no manifest'),
    entries: report.entries,
    filesRead: report.filesRead,
    bytesRead: report.bytesRead,
    differences: report.differences,
    differenceCount: report.differenceCount,
    damagedFileCount: report.snapshots.reduce((sum, { damagedCount }) => sum + damagedCount, 0),
  };
}

function failureOf(task: VerifyTask, report: ComparisonReport, record: VerificationRecord): Failure | null {
  const { name: host, backupdir } = task.host;
  const isCancelled = report.snapshots.some(({ state }) => state === 'cancelled');
  const found = failureOfVerification(host, record);
  // Who stopped it wants to know that all the more.
  if (isCancelled && found?.reason !== 'SNAPSHOT_DAMAGED') return new BusyError('CANCELLED').toFailure();
  if (found || record.snapshots.length > 0) return found?.toFailure() ?? null;
  const [unverifiable] = record.unverifiable;
  if (unverifiable !== undefined)
    return new BusyError('SNAPSHOT_UNVERIFIABLE', { host, snapshot: unverifiable }).toFailure();
  const detail = 'none of the snapshots to verify is there';
  return new BusyError('BACKUPDIR_UNUSABLE', { backupdir, detail }).toFailure();
}

async function knownBy({ host }: VerifyTask, store: string): Promise<VerifyResult['verified']> {
  const snapshots = await readSnapshots(host.backupdir, host.name);
  return snapshots
    .filter(({ manifest, path }) => manifest !== null && path.startsWith(store))
    .map(({ name, verifiedAt, damagedFileCount }) => ({ name, verifiedAt, damagedFileCount }));
}

/** A disk that cannot be written keeps no findings, but they are in the run and its log. */
async function remembering(log: RunLogFile, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    log.say(`what was found could not be written to the disk: ${toBusyError(error).message}`);
  });
}
