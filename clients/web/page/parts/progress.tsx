/** How far a run is. While rsync still lists the source the share is an estimate, and says so. */
import type { Run } from '../../gen/busy/v1/run_pb.js';
import { RunPhase, RunState } from '../../gen/busy/v1/run_pb.js';
import { formatDuration } from '../../../cli/human-format.js';
import { bytes, counted } from '../format/units.js';
import { Foreign } from './text.js';

export function RunProgress({ run }: { readonly run: Run }) {
  const { progress } = run;
  if (run.state === RunState.QUEUED) return <p className="progress-words">waits in the queue</p>;
  if (!progress) return <ProgressBar percent={null} label="begins" />;
  const about = progress.isListing ? 'about ' : '';
  return (
    <div className="progress">
      <ProgressBar percent={progress.percent} label={`${about}${progress.percent} %`} />
      <p className="progress-words">
        {[
          `${about}${progress.percent} %`,
          bytes(progress.bytesDone),
          `${bytes(progress.bytesPerSecond)}/s`,
          ...(progress.secondsLeft === undefined
            ? []
            : [`${formatDuration(Number(progress.secondsLeft) * 1000)} left`]),
          placeOf(run),
        ].join(' · ')}
      </p>
      <Foreign className="progress-file" text={progress.currentFile} />
    </div>
  );
}

/** Without a share it only shows that something goes on. */
export function ProgressBar(props: { readonly percent: number | null; readonly label: string }) {
  const { percent, label } = props;
  return percent === null ? (
    <progress className="bar" aria-label={label} />
  ) : (
    <progress className="bar" max={100} value={percent} aria-label={label} />
  );
}

function placeOf({ progress }: Run): string {
  if (!progress) return '';
  if (progress.phase === RunPhase.COPY || progress.phase === RunPhase.UNSPECIFIED)
    return `source directory ${progress.jobNumber} of ${progress.jobCount}`;
  return `${(RunPhase[progress.phase] ?? '').toLowerCase()}: ${counted(progress.entriesDone, 'entry', 'entries')}`;
}
