/** The two ends of a run as data: the record it begins with, and the state that its result leads to. Pure. */
import { newDrill } from '../core/drill.js';
import { BusyError, type Failure } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { BackupResult } from '../core/executor-port.js';
import type { RunChanges } from '../core/ports.js';
import { newRestore, type RestoreWish } from '../core/restore.js';
import type { endStates, JobRecord, RequestedType, RunRecord } from '../core/run.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import { heldFailure } from '../core/source-gate.js';
import { isWindowOpen } from '../core/windows.js';

export interface BackupRequest {
  readonly kind?: 'backup';
  readonly host: string;
  readonly type: RequestedType;
  /** The same id answers the same run again. */
  readonly requestId: string | null;
  /** See `RunRecord.isScheduled`; default: false. */
  readonly isScheduled?: boolean;
  /** See `RunRecord.acceptsChanges`; default: false. */
  readonly acceptsChanges?: boolean;
  /** How soon it must be carried out, against others that wait; what a person asks for goes first. */
  readonly urgency?: number;
  /** Why it was asked for; for the log. */
  readonly why?: string;
}

/** Asks to compare snapshots with their manifests; a scrub takes the share of one night. */
export interface VerifyRequest {
  readonly kind: 'verify' | 'scrub';
  readonly host: string;
  /** One snapshot, or null for all of the host. */
  readonly snapshot: string | null;
  readonly requestId: string | null;
  readonly urgency?: number;
  readonly why?: string;
}

/** Asks to archive a snapshot, or all that are old enough; or to read archives back. */
export interface ArchiveRequest {
  readonly kind: 'archive' | 'verify-archive';
  readonly host: string;
  /** One snapshot, or null for all that are due; or for all archives. */
  readonly snapshot: string | null;
  readonly requestId: string | null;
  /** See `RunRecord.isScheduled`; default: false. */
  readonly isScheduled?: boolean;
  readonly urgency?: number;
  readonly why?: string;
}

/** Asks to bring files of a snapshot back. */
export interface RestoreRequest {
  readonly kind: 'restore';
  /** The host that the snapshot is of. */
  readonly host: string;
  readonly snapshot: string;
  readonly wish: RestoreWish;
  readonly requestId: string | null;
  readonly urgency?: number;
  readonly why?: string;
}

/** Asks to restore a sample of a snapshot and compare it. */
export interface DrillRequest {
  readonly kind: 'drill';
  readonly host: string;
  /** One snapshot, or null for the newest good one. */
  readonly snapshot: string | null;
  /** Takes the files that the drill with this seed took; null: others. */
  readonly seed: string | null;
  readonly requestId: string | null;
  readonly urgency?: number;
  readonly why?: string;
}

export type RunRequest = BackupRequest | VerifyRequest | ArchiveRequest | RestoreRequest | DrillRequest;

/** What made a run end before its time. */
export type StopCause = 'on request' | 'daemon stops' | 'timeout' | 'post-backup' | 'lease lost';

export type EndState = (typeof endStates)[number];

/** The record of a run that has just been asked for. */
export function queuedRun(made: { id: string; request: RunRequest; now: Date; revision: number }): RunRecord {
  const { request } = made;
  return {
    id: made.id,
    kind: request.kind ?? 'backup',
    host: request.host,
    state: 'QUEUED',
    requestedType: 'type' in request ? request.type : 'auto',
    type: null,
    typeReason: '',
    createdAt: made.now,
    startedAt: null,
    endedAt: null,
    snapshot: 'snapshot' in request ? request.snapshot : null,
    error: null,
    jobs: [],
    verification: null,
    archiving: null,
    restore: request.kind === 'restore' ? newRestore(request.wish) : null,
    drill: request.kind === 'drill' ? newDrill(request.seed ?? made.id) : null,
    requestId: request.requestId,
    isScheduled: request.kind === 'scrub' || ('isScheduled' in request && (request.isScheduled ?? false)),
    acceptsChanges: 'acceptsChanges' in request && (request.acceptsChanges ?? false),
    revision: made.revision,
  };
}

/**
 * How a run ends with this result. A committed snapshot counts, also when a cancel came at the same time.
 * `cause`: what stopped it, if something did.
 */
export function endingOf(
  run: RunRecord,
  result: BackupResult,
  cause: StopCause | null,
): { state: EndState; changes: RunChanges } {
  const { snapshot, jobs, type } = result;
  const typeReason = type === run.type ? run.typeReason : 'there is no snapshot on the disk to link to';
  const facts = { jobs, type, typeReason };
  if (snapshot) {
    const { state, error } = endOfCommitted(snapshot, jobs);
    return { state, changes: { ...facts, snapshot: snapshot.name, error } };
  }
  if (result.error?.reason === 'CANCELLED' && cause === 'timeout') {
    return {
      state: 'FAILED',
      changes: { ...facts, error: new BusyError('RUN_TIMED_OUT', { host: run.host }).toFailure() },
    };
  }
  if (result.error?.reason === 'CANCELLED') {
    const error = stoppedBy(cause, run.host).toFailure();
    return { state: stateOfStopped(cause), changes: { ...facts, error } };
  }
  const error =
    result.error ?? new BusyError('INTERNAL', { what: 'a backup ended without a result' }).toFailure();
  return { state: 'FAILED', changes: { ...facts, error } };
}

/**
 * How a run ends that committed this snapshot. One that is held makes it PARTIAL: there is a snapshot, and it needs a
 * look; whoever waits for SUCCEEDED must not take it for good.
 */
export function endOfCommitted(
  snapshot: SnapshotRecord,
  jobs: readonly JobRecord[],
): { state: 'SUCCEEDED' | 'PARTIAL'; error: Failure | null } {
  const held = heldFailure(snapshot);
  const ofJob = jobs.find((job) => job.state === 'PARTIAL')?.error ?? null;
  return { state: held ? 'PARTIAL' : snapshot.outcome, error: held ?? ofJob };
}

/** The state of a run that was stopped: what ends with the lease of its daemon was nobody's wish. */
export function stateOfStopped(cause: StopCause | null): 'CANCELLED' | 'INTERRUPTED' {
  return cause === 'lease lost' ? 'INTERRUPTED' : 'CANCELLED';
}

/** What a run says that was stopped. After a stop of the daemon it is not taken for the wish of a person. */
export function stoppedBy(cause: StopCause | null, host: string): BusyError {
  if (cause === 'post-backup') return new BusyError('CANCELLED_FOR_SCRIPT', { host });
  if (cause === 'lease lost') return new BusyError('LEASE_LOST', { host });
  return cause === 'daemon stops'
    ? new BusyError('CANCELLED_BY_STOP')
    : new BusyError('CANCELLED', { by: 'on request' });
}

/** Why a run of the schedule that waited for its turn must not begin any more, or null. */
export function closedFor(
  { isScheduled }: RunRecord,
  { name, windows, schedule }: Host,
  now: Date,
): BusyError | null {
  if (!isScheduled || isWindowOpen(windows, schedule.timeZone, now)) return null;
  return new BusyError('WINDOW_CLOSED', { host: name });
}

/** A request id that was seen before stands for its run; with anything else it is a mistake. Throws INVALID_ARGUMENT. */
export function refuseReuse(known: RunRecord, request: RunRequest): void {
  const wanted = queuedRun({ id: known.id, request, now: known.createdAt, revision: 0 });
  const isSame =
    known.kind === wanted.kind &&
    known.host === wanted.host &&
    known.requestedType === wanted.requestedType &&
    known.acceptsChanges === wanted.acceptsChanges &&
    wishOf(known) === wishOf(wanted);
  // A drill of the newest snapshot knows by now which that was.
  const isOfSameSnapshot =
    known.snapshot === wanted.snapshot || (known.kind === 'drill' && wanted.snapshot === null);
  if (isSame && (known.kind === 'backup' || isOfSameSnapshot)) return;
  // Not which: the caller may be limited to other hosts.
  const problem = `"${request.requestId}" was used for another run`;
  throw new BusyError('INVALID_ARGUMENT', {
    field: 'request_id',
    problem,
    allowed: 'Use a new id for each run.',
  });
}

/** In a form that compares, also after it was in the database. */
function wishOf({ restore }: RunRecord): string {
  if (!restore) return '';
  const { paths, target, mode, isDryRun } = restore;
  const { kind } = target;
  const place = [kind, 'host' in target ? target.host : '', 'directory' in target ? target.directory : ''];
  return JSON.stringify([paths, place, mode, isDryRun]);
}
