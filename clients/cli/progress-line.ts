/** The one line that tells where a run stands. Pure: text only, not escaped and not cut. */
import { RunState, type Progress, type Run } from '../../src/gen/busy/v1/run.js';
import { formatBytes, formatDuration } from './human-format.js';

/** For a run that has not ended: its progress, or what it waits for. */
export function renderProgressLine(run: Run): string {
  if (run.state === RunState.QUEUED) return 'waiting in the queue';
  const prefix = run.state === RunState.CANCELLING ? 'cancelling  ' : '';
  if (run.progress === undefined) return prefix === '' ? 'starting' : 'cancelling';
  return prefix + renderProgress(run.progress);
}

function renderProgress(progress: Progress): string {
  const parts = [
    // While rsync still lists the source the total grows, so the share is only an estimate.
    `${progress.isListing ? '~' : ''}${progress.percent}%`,
    formatBytes(progress.bytesDone),
    `${formatBytes(progress.bytesPerSecond)}/s`,
  ];
  if (progress.secondsLeft !== undefined) parts.push(`${formatDuration(progress.secondsLeft * 1000)} left`);
  parts.push(`job ${progress.jobNumber} of ${progress.jobCount}`);
  if (progress.currentFile !== '') parts.push(progress.currentFile);
  return parts.join('  ');
}
