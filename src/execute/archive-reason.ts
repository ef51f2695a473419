/** Whether the snapshot of an archive is there, and what an archive failed for. */
import { stat } from 'node:fs/promises';
import type { ArchiveTask } from '../core/archive-ports.js';
import { BusyError, toBusyError } from '../core/errors.js';

/** Throws SNAPSHOT_GONE. */
export async function requireSnapshot({ snapshot }: Pick<ArchiveTask, 'snapshot'>): Promise<void> {
  await stat(snapshot.path).catch((error: Error) => {
    const facts = { host: snapshot.host, snapshot: snapshot.name, detail: error.message };
    throw new BusyError('SNAPSHOT_GONE', facts, { cause: error });
  });
}

/** A snapshot that was removed while it was read is gone, not damaged. */
export async function reasonOf(task: ArchiveTask, cancel: AbortSignal, error: unknown): Promise<BusyError> {
  if (cancel.aborted) return new BusyError('CANCELLED', {}, { cause: error });
  const failure = toBusyError(error);
  if (failure.reason !== 'SNAPSHOT_UNREADABLE') return failure;
  return requireSnapshot(task).then(() => failure, toBusyError);
}
