/** The one line that tells where a run stands. Pure: text only, not escaped and not cut. */
import { RunPhase, RunState, type Progress, type Run } from '../../src/gen/busy/v1/run.js';
import { formatBytes, formatCount, formatDuration } from './human-format.js';

/** For a run that has not ended: its progress, or what it waits for. */
export function renderProgressLine(run: Run): string {
  if (run.state === RunState.QUEUED) return 'waiting in the queue';
  const prefix = run.state === RunState.CANCELLING ? 'cancelling  ' : '';
  if (run.progress === undefined) return prefix === '' ? 'starting' : 'cancelling';
  return prefix + renderProgress(run.progress);
}

/** How long a run took, or has taken until `now`; "-" when it never started. */
export function tookText(run: Run, now: Date): string {
  if (run.startedAt === undefined) return '-';
  return formatDuration((run.endedAt ?? now).getTime() - run.startedAt.getTime());
}

function renderProgress(progress: Progress): string {
  const parts = [
    // While rsync still lists the source the total grows, so the share is only an estimate.
    `${progress.isListing ? '~' : ''}${progress.percent}%`,
    formatBytes(progress.bytesDone),
    `${formatBytes(progress.bytesPerSecond)}/s`,
  ];
  if (progress.secondsLeft !== undefined) parts.push(`${formatDuration(progress.secondsLeft * 1000)} left`);
  parts.push(place(progress));
  if (progress.currentFile !== '') parts.push(progress.currentFile);
  return parts.join('  ');
}

/** What it does beside copying, or which job. */
function place(progress: Progress): string {
  const entries = `${formatCount(progress.entriesDone)} entries`;
  if (progress.phase === RunPhase.MANIFEST) return `manifest: ${entries}`;
  if (progress.phase === RunPhase.VERIFY) return `verify: ${entries}`;
  if (progress.phase === RunPhase.ARCHIVE) return 'archive';
  if (progress.phase === RunPhase.VERIFY_ARCHIVE) return `read back: ${entries}`;
  return `job ${progress.jobNumber} of ${progress.jobCount}`;
}
