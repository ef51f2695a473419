/** One run: how far it is, what it says, and why it ended so. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { Run } from '../../gen/busy/v1/run_pb.js';
import { Role } from '../../gen/busy/v1/token_service_pb.js';
import { backupService } from '../api/clients.js';
import { useLiveRun } from '../api/live-runs-context.js';
import { hasEnded } from '../api/live-runs.js';
import { runQuery } from '../api/queries.js';
import { withLocalTimes } from '../format/times-in-text.js';
import { ActionButton } from '../parts/action-button.js';
import { Failure, Waiting } from '../parts/notices.js';
import { RunProgress } from '../parts/progress.js';
import { kindName, RunStateMark, typeName } from '../parts/states.js';
import { Foreign } from '../parts/text.js';
import { Took, When } from '../parts/times.js';
import { JobTable, MissingFiles } from './run/jobs.js';
import { RunLog } from './run/log.js';
import { RunOutcome } from './run/outcome.js';
import { PageHeading } from '../parts/page-heading.js';

export function RunPage({ id }: { readonly id: string }) {
  const asked = useQuery(runQuery(id));
  const live = useLiveRun(id);
  // The asked one has the lists of missing files, the live one is younger while it runs.
  const run = live && !hasEnded(live) ? live : asked.data && isAsNew(asked.data, live) ? asked.data : live;
  if (asked.isError && !run) return <Failure error={asked.error} onRetry={() => void asked.refetch()} />;
  if (!run) return <Waiting rows={6} />;
  return (
    <>
      <PageHeading title={`${run.host} · ${kindName(run.kind)}`}>
        <Link href={`/hosts/${run.host}`}>{run.host}</Link> · {kindName(run.kind)} {typeName(run.type)}
      </PageHeading>
      <div className="headline">
        <RunStateMark state={run.state} />
        {!hasEnded(run) && (
          <ActionButton needs={Role.OPERATOR} kind="danger" onAction={() => cancel(run)}>
            Cancel
          </ActionButton>
        )}
      </div>
      {!hasEnded(run) && <RunProgress run={run} />}
      {run.error && (
        <div className="failure">
          <p>
            <Foreign text={run.error.message} />
          </p>
          <p>
            <Foreign text={run.error.advice} />
          </p>
          <p className="reason">{run.error.reason}</p>
        </div>
      )}
      <dl className="facts">
        <dt>Run</dt>
        <dd className="mono">{run.id}</dd>
        <dt>Asked for</dt>
        <dd>
          <When time={run.createdAt} />
        </dd>
        <dt>Took</dt>
        <dd>
          <Took from={run.startedAt} to={run.endedAt} />
        </dd>
        {run.snapshot !== '' && (
          <>
            <dt>Snapshot</dt>
            <dd>
              <Link href={`/hosts/${run.host}/snapshots/${run.snapshot}`}>{run.snapshot}</Link>
            </dd>
          </>
        )}
        {run.typeReason !== '' && (
          <>
            <dt>Type</dt>
            <dd>
              {typeName(run.type)}, since {withLocalTimes(run.typeReason)}
            </dd>
          </>
        )}
      </dl>
      <RunOutcome run={run} />
      <JobTable jobs={run.jobs} progress={hasEnded(run) ? undefined : run.progress} />
      <MissingFiles jobs={run.jobs} />
      <RunLog runId={run.id} isEnded={hasEnded(run)} />
    </>
  );
}

function isAsNew(run: Run, other: Run | undefined): boolean {
  return !other || run.revision >= other.revision;
}

async function cancel(run: Run): Promise<void> {
  await backupService.cancelRun({ id: run.id });
}
