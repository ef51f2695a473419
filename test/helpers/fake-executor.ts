/** An executor that carries out nothing: each backup goes on until the test ends it by hand. */
import { BusyError } from '../../src/core/errors.js';
import { nothingArchived } from '../../src/core/archive.js';
import type { ArchiveResult, ArchivesTask, ArchiveTask } from '../../src/core/archive-ports.js';
import type {
  BackupEvents,
  BackupResult,
  BackupTask,
  DrillResult,
  DrillTask,
  Executor,
  ProbeResult,
  RestoreResult,
  RestoreTask,
  RunEventsTaker,
  VerifyResult,
  VerifyTask,
} from '../../src/core/executor-port.js';
import { noTransfer, snapshotName, type SnapshotRecord } from '../../src/core/snapshot.js';

export interface FakeBackup {
  readonly task: BackupTask;
  readonly events: BackupEvents;
  readonly signal: AbortSignal;
  /** Ends it with a result that is a success unless the changes say otherwise. */
  finish(changes?: Partial<BackupResult>): void;
  /** Ends it as the real one does after an abort, at once or when that comes. */
  obeyCancel(): void;
  /** The process that carried it is gone. */
  die(): void;
}

export interface FakeVerification {
  readonly task: VerifyTask;
  readonly events: RunEventsTaker;
  readonly signal: AbortSignal;
  /** Ends it with a result that is a success unless the changes say otherwise. */
  finish(changes?: Partial<VerifyResult>): void;
  die(): void;
}

export interface FakeRestore {
  readonly task: RestoreTask;
  readonly signal: AbortSignal;
  /** Ends it with a result that is a success unless the changes say otherwise. */
  finish(changes?: Partial<RestoreResult>): void;
}

export interface FakeDrill {
  readonly task: DrillTask;
  /** Ends it with a result that is a success unless the changes say otherwise. */
  finish(changes?: Partial<DrillResult>): void;
}

export class FakeExecutor implements Executor {
  /** All verifications that were ever started, in order; each ends as the real one does after an abort. */
  readonly verifications: FakeVerification[] = [];
  /** All restores that were ever started, in order; each ends as the real one does after an abort. */
  readonly restores: FakeRestore[] = [];
  readonly drills: FakeDrill[] = [];
  /** All that were ever started, in order. */
  readonly backups: FakeBackup[] = [];
  /** What an archive comes to; a failure unless a test says otherwise. */
  onArchive = (task: ArchiveTask, _events: RunEventsTaker, _signal: AbortSignal): Promise<ArchiveResult> =>
    Promise.reject(
      new BusyError('INTERNAL', { what: `the fake executor archives no ${task.snapshot.name}` }),
    );
  /** What a verification of archives comes to; nothing unless a test says otherwise. */
  onVerifyArchives = (_task: ArchivesTask): Promise<ArchiveResult> =>
    Promise.resolve({ archives: [], done: nothingArchived, error: null });
  private handedOut = 0;
  private wake = (): void => {};

  backUp(task: BackupTask, events: BackupEvents, signal: AbortSignal): Promise<BackupResult> {
    return new Promise((resolve, reject) => {
      const finish: FakeBackup['finish'] = (changes) =>
        resolve({ jobs: [], type: task.type, snapshot: null, error: null, ...changes });
      const endCancelled = (): void => finish({ error: new BusyError('CANCELLED').toFailure() });
      this.backups.push({
        task,
        events,
        signal,
        finish,
        obeyCancel: () => {
          if (signal.aborted) endCancelled();
          else signal.addEventListener('abort', endCancelled, { once: true });
        },
        die: () => reject(new BusyError('EXECUTOR_DIED', { ending: 'signal SIGKILL' })),
      });
      this.wake();
    });
  }

  restore(task: RestoreTask, _: RunEventsTaker, signal: AbortSignal): Promise<RestoreResult> {
    return new Promise((resolve) => {
      const finish: FakeRestore['finish'] = (changes) =>
        resolve({ from: 'snapshot', counts: null, changes: [], changeCount: 0, error: null, ...changes });
      signal.addEventListener('abort', () =>
        finish({ error: new BusyError('RESTORE_CANCELLED').toFailure() }),
      );
      this.restores.push({ task, signal, finish });
      this.wake();
    });
  }

  verify(task: VerifyTask, events: RunEventsTaker, signal: AbortSignal): Promise<VerifyResult> {
    return new Promise((resolve, reject) => {
      const finish: FakeVerification['finish'] = (changes) =>
        resolve({ verification: null, verified: [], error: null, ...changes });
      const die = (): void => reject(new BusyError('EXECUTOR_DIED', { ending: 'signal SIGKILL' }));
      const endCancelled = (): void => finish({ error: new BusyError('CANCELLED').toFailure() });
      signal.addEventListener('abort', endCancelled, { once: true });
      this.verifications.push({ task, events, signal, finish, die });
    });
  }

  archive(task: ArchiveTask, events: RunEventsTaker, signal: AbortSignal): Promise<ArchiveResult> {
    return this.onArchive(task, events, signal);
  }

  verifyArchives(task: ArchivesTask): Promise<ArchiveResult> {
    return this.onVerifyArchives(task);
  }

  /** The next backup that was not answered before; waits until it is started. */
  async next(): Promise<FakeBackup> {
    for (;;) {
      const backup = this.backups[this.handedOut];
      if (backup) {
        this.handedOut += 1;
        return backup;
      }
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  drill(task: DrillTask, _: RunEventsTaker, signal: AbortSignal): Promise<DrillResult> {
    return new Promise((resolve) => {
      const finish: FakeDrill['finish'] = (changes) =>
        resolve({ drill: task.drill, error: null, ...changes });
      const endCancelled = (): void => finish({ error: new BusyError('CANCELLED').toFailure() });
      signal.addEventListener('abort', endCancelled, { once: true });
      this.drills.push({ task, finish });
    });
  }

  probe(): Promise<ProbeResult> {
    return Promise.reject(new BusyError('INTERNAL', { what: 'the fake executor reaches no host' }));
  }

  check(): Promise<never> {
    return Promise.reject(new BusyError('INTERNAL', { what: 'the fake executor reaches no host' }));
  }

  measure(groups: readonly (readonly string[])[]): Promise<null[]> {
    return Promise.resolve(groups.map(() => null));
  }

  processCount(): number {
    return 1;
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

/** The snapshot that a backup would commit when it had started at `startedAt`. */
export function snapshotOf(
  task: BackupTask,
  startedAt: Date,
  changes: Partial<SnapshotRecord> = {},
): SnapshotRecord {
  const name = snapshotName(startedAt, task.type);
  return {
    host: task.host.name,
    name,
    type: task.type,
    outcome: 'SUCCEEDED',
    path: `${task.host.backupdir}/${task.host.name}/${name}`,
    startedAt,
    committedAt: startedAt,
    runId: task.runId,
    linkBases: [],
    sources: task.host.srcdirs,
    stats: noTransfer,
    missingFileCount: 0,
    heldFor: [],
    manifest: null,
    verifiedAt: null,
    damagedFileCount: 0,
    ...changes,
  };
}
