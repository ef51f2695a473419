import { BackupType, Run, RunKind, RunPhase, RunState } from '../../../src/gen/busy/v1/run.js';
import { Snapshot } from '../../../src/gen/busy/v1/snapshot.js';

export const runId = '01KAP6Y0G3V8Z9D4WQ5J7N2XTB';
/** The real time, since deadlines of calls are made of it; all else is told relative to it. */
export const now = new Date();

/** A time before `now`. */
export function minutesAgo(minutes: number): Date {
  return new Date(now.getTime() - minutes * 60_000);
}

export function sampleRun(changes: Partial<Run> = {}): Run {
  return {
    ...Run.create(),
    id: runId,
    kind: RunKind.BACKUP,
    host: 'web1',
    state: RunState.QUEUED,
    requestedType: BackupType.AUTO,
    createdAt: minutesAgo(10),
    revision: 1,
    ...changes,
  };
}

/** A run that made a complete snapshot. */
export function succeededRun(revision: number): Run {
  return sampleRun({
    state: RunState.SUCCEEDED,
    type: BackupType.FULL,
    typeReason: 'There is no full snapshot.',
    startedAt: minutesAgo(9),
    endedAt: minutesAgo(7),
    snapshot: '2026-11-22_19-51-00f',
    revision,
  });
}

export function runningRun(revision: number, percent: number): Run {
  const progress = {
    phase: RunPhase.COPY,
    jobNumber: 1,
    jobCount: 2,
    jobsEnded: 0,
    bytesDone: 1_288_490_189,
    percent,
    bytesPerSecond: 36_805_017,
    secondsLeft: 180,
    filesTransferred: 12,
    entriesDone: 0,
    currentFile: 'etc/hosts',
    isListing: false,
  };
  return sampleRun({ state: RunState.RUNNING, startedAt: minutesAgo(9), progress, revision });
}

export function sampleSnapshot(): Snapshot {
  return {
    ...Snapshot.create(),
    host: 'web1',
    name: '2026-11-22_19-51-00f',
    type: BackupType.FULL,
    outcome: RunState.SUCCEEDED,
    path: '/srv/backup/web1/2026-11-22_19-51-00f',
    startedAt: minutesAgo(180),
    committedAt: minutesAgo(170),
    runId,
    stats: {
      fileCount: 12_034,
      filesTransferred: 17,
      filesCreated: 17,
      totalBytes: 1_288_490_189,
      transferredBytes: 2_048,
      receivedBytes: 2_100,
      sentBytes: 90,
      regularFiles: 12_000,
      copiedFiles: 17,
      copiedBytes: 2_048,
      attributeChangedFiles: 0,
      linkedFiles: 11_983,
      linkedBytes: 1_288_488_141,
    },
  };
}
