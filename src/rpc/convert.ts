/** From the records of the core to the messages of the contract. */
import type { ArchivingRecord } from '../core/archive.js';
import type { DrillRecord } from '../core/drill.js';
import type { Failure } from '../core/errors.js';
import type { HostCondition } from '../core/host-condition.js';
import type { Host } from '../core/host.js';
import type { JobRecord, Progress, RunRecord } from '../core/run.js';
import { newestOf, noTransfer, type SnapshotRecord } from '../core/snapshot.js';
import type { VerificationRecord } from '../core/verification.js';
import type { Host as HostMessage } from '../gen/busy/v1/host_service.js';
import {
  BackupType,
  type Archiving,
  type Drill,
  type Job,
  type Progress as ProgressMessage,
  type Run,
  type RunError,
  type Verification,
} from '../gen/busy/v1/run.js';
import type { Snapshot } from '../gen/busy/v1/snapshot.js';
import {
  conditions,
  differenceKinds,
  holdCodes,
  initiators,
  jobStates,
  kinds,
  phases,
  runStates,
  types,
} from './enums.js';
import { toRestoreMessage } from './restores.js';

/** What is known of a host besides its configuration. */
export interface HostFacts {
  /** Newest first. */
  readonly snapshots: readonly SnapshotRecord[];
  readonly lastRun: RunRecord | null;
  /** Of the last run, while it is under way. */
  readonly progress: Progress | null;
  readonly condition: { readonly condition: HostCondition; readonly reason: string };
  /** When the rules will next ask for a backup; null when it cannot be said. */
  readonly nextAt: Date | null;
  readonly restoreProof: RunRecord | null;
  readonly lastDrill: RunRecord | null;
}

/** Of a host that is not there yet. */
export const noFacts: HostFacts = {
  snapshots: [],
  lastRun: null,
  progress: null,
  condition: { condition: 'new', reason: 'it has no snapshot yet' },
  nextAt: null,
  restoreProof: null,
  lastDrill: null,
};

export function toHostMessage(host: Host, facts: HostFacts): HostMessage {
  const { snapshots, lastRun, progress, condition, nextAt, restoreProof, lastDrill } = facts;
  const { good, held } = newestOf(snapshots);
  return {
    name: host.name,
    hostname: host.hostname,
    addresses: [...host.addresses],
    port: host.port,
    user: host.user,
    backupdir: host.backupdir,
    srcdirs: [...host.srcdirs],
    excludes: [...host.excludes],
    initiator: initiators[host.initiator],
    hostKey: host.hostKey,
    newestSnapshot: good && toSnapshotMessage(good),
    heldSnapshot: held && toSnapshotMessage(held),
    snapshotCount: snapshots.length,
    lastRun: lastRun ? toListedRunMessage(lastRun, progress) : undefined,
    condition: conditions[condition.condition],
    conditionReason: condition.reason,
    nextAt: nextAt ?? undefined,
    restoreProof: restoreProof ? toListedRunMessage(restoreProof, null) : undefined,
    lastDrill: lastDrill ? toListedRunMessage(lastDrill, null) : undefined,
  };
}

export function toSnapshotMessage(snapshot: SnapshotRecord): Snapshot {
  return {
    ...snapshot,
    type: types[snapshot.type],
    outcome: runStates[snapshot.outcome],
    linkBases: [...snapshot.linkBases],
    sources: [...snapshot.sources],
    heldFor: snapshot.heldFor.map((reason) => ({ ...reason, code: holdCodes[reason.code] })),
    manifest: snapshot.manifest ?? undefined,
    verifiedAt: snapshot.verifiedAt ?? undefined,
  };
}

export function toRunMessage(run: RunRecord, progress: Progress | null): Run {
  return {
    id: run.id,
    kind: kinds[run.kind],
    host: run.host,
    state: runStates[run.state],
    requestedType: types[run.requestedType],
    type: run.type ? types[run.type] : BackupType.UNSPECIFIED,
    typeReason: run.typeReason,
    createdAt: run.createdAt,
    startedAt: run.startedAt ?? undefined,
    endedAt: run.endedAt ?? undefined,
    snapshot: run.snapshot ?? '',
    error: toRunError(run.error),
    jobs: run.jobs.map(toJob),
    progress: progress ? toProgress(progress) : undefined,
    revision: run.revision,
    requestId: run.requestId ?? '',
    acceptsChanges: run.acceptsChanges,
    verification: run.verification ? toVerification(run.verification) : undefined,
    archiving: run.archiving ? toArchiving(run.archiving) : undefined,
    restore: run.restore ? toRestoreMessage(run.restore) : undefined,
    drill: run.drill ? toDrill(run.drill) : undefined,
  };
}

/** A run among others. Without the lists of files: a page of runs could exceed what a client takes (4 MiB). */
export function toListedRunMessage(run: RunRecord, progress: Progress | null): Run {
  const jobs = run.jobs.map((job) => ({ ...job, missingFiles: [] }));
  const verification = run.verification && { ...run.verification, differences: [] };
  const restore = run.restore && { ...run.restore, changes: [] };
  const drill = run.drill && { ...run.drill, differences: [] };
  return toRunMessage({ ...run, jobs, verification, restore, drill }, progress);
}

function toVerification(verification: VerificationRecord): Verification {
  return {
    ...verification,
    snapshots: [...verification.snapshots],
    unverifiable: [...verification.unverifiable],
    differences: verification.differences.map((found) => ({ ...found, kind: differenceKinds[found.kind] })),
  };
}

function toArchiving(archiving: ArchivingRecord): Archiving {
  const { archived, removed, expired } = archiving;
  return { ...archiving, archived: [...archived], removed: [...removed], expired: [...expired] };
}

function toDrill({ restoreMs, ...drill }: DrillRecord): Drill {
  return {
    ...drill,
    bytesPerSecond: restoreMs === 0 ? 0 : Math.round((drill.bytes * 1000) / restoreMs),
    differences: drill.differences.map((found) => ({ ...found, kind: differenceKinds[found.kind] })),
  };
}

function toJob(job: JobRecord): Job {
  return {
    number: job.number,
    source: job.source,
    state: jobStates[job.state],
    error: toRunError(job.error),
    exitCode: job.exitCode ?? undefined,
    // Those of an older BUSY have fewer counts.
    stats: job.stats ? { ...noTransfer, ...job.stats } : undefined,
    missingFiles: [...job.missingFiles],
    missingFileCount: job.missingFileCount,
  };
}

/** Rates and estimates may be fractions; the contract has whole numbers, and its encoder throws on others. */
function toProgress(progress: Progress): ProgressMessage {
  return {
    ...progress,
    phase: phases[progress.phase],
    percent: Math.floor(progress.percent),
    bytesPerSecond: Math.round(progress.bytesPerSecond),
    secondsLeft: progress.secondsLeft === null ? undefined : Math.round(progress.secondsLeft),
  };
}

function toRunError(failure: Failure | null): RunError | undefined {
  return failure ? { ...failure } : undefined;
}
