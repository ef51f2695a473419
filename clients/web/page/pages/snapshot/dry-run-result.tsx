/** How a dry run goes, and what it found. */
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { Link } from 'wouter';
import type { Restore } from '../../../gen/busy/v1/restore_pb.js';
import { RunState } from '../../../gen/busy/v1/run_pb.js';
import { useLiveRun } from '../../api/live-runs-context.js';
import { hasEnded } from '../../api/live-runs.js';
import { runQuery } from '../../api/queries.js';
import { bytes, count, counted } from '../../format/units.js';
import { Failure, Waiting } from '../../parts/notices.js';
import { RunStateMark } from '../../parts/states.js';
import { Foreign } from '../../parts/text.js';
import { changeWords } from './change-words.js';

/** So many are shown here; the page of the run has up to 1000. */
const mostShown = 50;

/** `onSuccess` is called when it has ended well. */
export function DryRunResult(props: { readonly runId: string; readonly onSuccess: () => void }) {
  const { runId, onSuccess } = props;
  const live = useLiveRun(runId);
  const asked = useQuery({
    ...runQuery(runId),
    // Its list of changes comes with the answer only, and a short run may have ended before it was watched.
    refetchInterval: ({ state: { data } }) => (data && hasEnded(data) ? false : 1000),
  });
  const run = asked.data && hasEnded(asked.data) ? asked.data : (live ?? asked.data);
  const isGood = asked.data?.state === RunState.SUCCEEDED;
  useEffect(() => {
    if (isGood) onSuccess();
  }, [isGood, onSuccess]);
  if (asked.isError && !run) return <Failure error={asked.error} />;
  if (!run) return <Waiting rows={2} />;
  const { restore } = run;
  const shown = restore?.changes.slice(0, mostShown) ?? [];
  return (
    <div className="dry-run" role="status">
      <p>
        <RunStateMark state={run.state} /> {isGood && restore && summaryOf(restore)}{' '}
        <Link href={`/runs/${run.id}`}>Its page</Link>
      </p>
      {run.error && (
        <p className="problem">
          <Foreign className="" text={`${run.error.message} ${run.error.advice}`} />
        </p>
      )}
      {shown.length > 0 && (
        <ul className="changes">
          {shown.map((change) => (
            <li key={`${change.kind} ${change.path}`}>
              <span className="faint">{changeWords[change.kind]}</span> <Foreign text={change.path} />
            </li>
          ))}
        </ul>
      )}
      {restore && Number(restore.changeCount) > shown.length && (
        <p className="faint">and {count(Number(restore.changeCount) - shown.length)} more</p>
      )}
    </div>
  );
}

function summaryOf({ created, changed, deleted, skipped, bytes: size }: Restore): string {
  if (created + changed + deleted === 0n)
    return `Nothing would change: what is there stays as it is (${counted(skipped, 'entry', 'entries')}).`;
  return (
    `It would make ${count(created)}, replace ${count(changed)} and delete ${count(deleted)}, ${bytes(size)} in all; ` +
    `${count(skipped)} stay as they are.`
  );
}
