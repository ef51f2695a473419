/** The two ends of a run as data: the record it begins with, and the state that its result leads to. Pure. */
import { BusyError } from '../core/errors.js';
import type { BackupResult, RunChanges } from '../core/ports.js';
import type { RequestedType, RunRecord, RunState } from '../core/run.js';

export interface BackupRequest {
  readonly host: string;
  readonly type: RequestedType;
  /** The same id answers the same run again. */
  readonly requestId: string | null;
}

export type EndState = Extract<RunState, 'SUCCEEDED' | 'PARTIAL' | 'FAILED' | 'CANCELLED'>;

/** The record of a run that has just been asked for. */
export function queuedRun(made: {
  id: string;
  request: BackupRequest;
  now: Date;
  revision: number;
}): RunRecord {
  return {
    id: made.id,
    kind: 'backup',
    host: made.request.host,
    state: 'QUEUED',
    requestedType: made.request.type,
    type: null,
    typeReason: '',
    createdAt: made.now,
    startedAt: null,
    endedAt: null,
    snapshot: null,
    error: null,
    jobs: [],
    requestId: made.request.requestId,
    revision: made.revision,
  };
}

/** How a run ends with this result. A committed snapshot counts, also when a cancel came at the same time. */
export function endingOf(
  run: RunRecord,
  result: BackupResult,
  cancelledBy: string,
): { state: EndState; changes: RunChanges } {
  const { snapshot, jobs, type } = result;
  const typeReason = type === run.type ? run.typeReason : 'there is no snapshot on the disk to link to';
  const facts = { jobs, type, typeReason };
  if (snapshot) {
    const error = jobs.find((job) => job.state === 'PARTIAL')?.error ?? null;
    return { state: snapshot.outcome, changes: { ...facts, snapshot: snapshot.name, error } };
  }
  if (result.error?.reason === 'CANCELLED') {
    return {
      state: 'CANCELLED',
      changes: { ...facts, error: new BusyError('CANCELLED', { by: cancelledBy }).toFailure() },
    };
  }
  const error =
    result.error ?? new BusyError('INTERNAL', { what: 'a backup ended without a result' }).toFailure();
  return { state: 'FAILED', changes: { ...facts, error } };
}
