/** One host. */
import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from 'wouter';
import type { HostCondition } from '../../gen/busy/v1/host_service_pb.js';
import { BackupType, type Run } from '../../gen/busy/v1/run_pb.js';
import { Role } from '../../gen/busy/v1/token_service_pb.js';
import { archiveService, backupService, snapshotService } from '../api/clients.js';
import { isWorthTryingAgain } from '../api/errors.js';
import { hostQuery, runsQuery, snapshotsQuery } from '../api/queries.js';
import { withLocalTimes } from '../format/times-in-text.js';
import { bytes, count } from '../format/units.js';
import { ActionButton, RoleNote } from '../parts/action-button.js';
import { Empty, Failure, Waiting } from '../parts/notices.js';
import { kindName, Mark, RunStateMark, typeName } from '../parts/states.js';
import { Foreign } from '../parts/text.js';
import { Age, Took, When } from '../parts/times.js';
import { Explanation } from './host/explanation.js';
import { HostPlots } from './host/plots.js';
import { conditions } from './overview/host-condition.js';
import { DataTable } from '../parts/data-table.js';
import { PageHeading } from '../parts/page-heading.js';
import { HeldDecision } from './snapshot/held-decision.js';

export function HostPage({ name }: { readonly name: string }) {
  const host = useQuery(hostQuery(name));
  const snapshots = useQuery(snapshotsQuery(name));
  const runs = useQuery(runsQuery(name));
  const [, go] = useLocation();
  const follow = async (start: Promise<{ readonly run?: Run | undefined }>): Promise<void> => {
    const { run } = await start;
    if (run) go(`/runs/${run.id}`);
  };
  const backUp = (type: BackupType): Promise<void> =>
    follow(backupService.triggerBackup({ host: name, type, requestId: newId() }));
  if (host.isError && !host.data) return <Failure error={host.error} onRetry={() => void host.refetch()} />;
  return (
    <>
      <PageHeading title={name} />
      {host.isError && !isWorthTryingAgain(host.error) && <Failure error={host.error} />}
      <div className="headline">
        <ActionButton needs={Role.OPERATOR} kind="primary" onAction={() => backUp(BackupType.AUTO)}>
          Back up now
        </ActionButton>
        <ActionButton needs={Role.OPERATOR} onAction={() => backUp(BackupType.FULL)}>
          Full backup
        </ActionButton>
        <ActionButton needs={Role.OPERATOR} onAction={() => backUp(BackupType.INCREMENTAL)}>
          Incremental backup
        </ActionButton>
        <ActionButton
          needs={Role.OPERATOR}
          onAction={() => follow(snapshotService.verifySnapshot({ host: name, requestId: newId() }))}
        >
          Verify
        </ActionButton>
        <ActionButton
          needs={Role.OPERATOR}
          onAction={() => follow(archiveService.archive({ host: name, requestId: newId() }))}
        >
          Archive
        </ActionButton>
        <ActionButton
          needs={Role.OPERATOR}
          onAction={() => follow(snapshotService.drillRestore({ host: name, requestId: newId() }))}
        >
          Try a restore
        </ActionButton>
        <Link className="button" href={`/hosts/${name}/settings`}>
          Settings
        </Link>
      </div>
      <RoleNote needs={Role.OPERATOR} />
      {host.data?.host && host.data.host.conditionReason !== '' && !host.data.host.heldSnapshot && (
        <p className="condition">
          <Mark {...markOf(host.data.host.condition)} />{' '}
          <Foreign className="" text={withLocalTimes(host.data.host.conditionReason)} />
        </p>
      )}
      {host.data?.host?.heldSnapshot && <HeldDecision snapshot={host.data.host.heldSnapshot} />}
      <section aria-labelledby="why">
        <h2 id="why">Now</h2>
        <Explanation host={name} />
      </section>
      <HostPlots snapshots={snapshots.data ?? []} />
      <section aria-labelledby="snapshots">
        <h2 id="snapshots">Snapshots</h2>
        {snapshots.isPending && <Waiting />}
        {snapshots.isError && !snapshots.data && (
          <Failure error={snapshots.error} onRetry={() => void snapshots.refetch()} />
        )}
        {snapshots.data?.length === 0 && (
          <Empty title="There is no snapshot yet.">The first backup of this host makes one.</Empty>
        )}
        {snapshots.data && snapshots.data.length > 1 && (
          <p>
            <Link href={`/hosts/${name}/compare`}>Compare two snapshots</Link>
          </p>
        )}
        {snapshots.data && snapshots.data.length > 0 && (
          <DataTable name="Snapshots" heads={['Snapshot', 'Type', 'Age', 'Outcome', '#Size', '#Copied']}>
            {snapshots.data.map((snapshot) => (
              <tr key={snapshot.name}>
                <th scope="row">
                  <Link href={`/hosts/${name}/snapshots/${snapshot.name}`}>{snapshot.name}</Link>
                </th>
                <td>{typeName(snapshot.type)}</td>
                <td>
                  <Age time={snapshot.startedAt} />
                </td>
                <td>
                  <RunStateMark state={snapshot.outcome} />
                </td>
                <td className="number">{bytes(snapshot.stats?.totalBytes ?? 0n)}</td>
                <td className="number">{bytes(snapshot.stats?.copiedBytes ?? 0n)}</td>
              </tr>
            ))}
          </DataTable>
        )}
      </section>
      <section aria-labelledby="runs">
        <h2 id="runs">Runs</h2>
        {runs.data?.length === 0 && <p className="faint">Nothing has run yet.</p>}
        {runs.data && runs.data.length > 0 && (
          <DataTable name="Runs" heads={['Asked for', 'Kind', 'State', 'Took']}>
            {runs.data.slice(0, 20).map((run) => (
              <tr key={run.id}>
                <th scope="row">
                  <Link href={`/runs/${run.id}`}>
                    <When time={run.createdAt} />
                  </Link>
                </th>
                <td>
                  {kindName(run.kind)} {typeName(run.type)}
                </td>
                <td>
                  <RunStateMark state={run.state} />
                </td>
                <td>
                  <Took from={run.startedAt} to={run.endedAt} />
                </td>
              </tr>
            ))}
          </DataTable>
        )}
        {runs.data && runs.data.length > 20 && (
          <p className="faint">{count(runs.data.length - 20)} older ones</p>
        )}
      </section>
    </>
  );
}

function markOf(condition: HostCondition) {
  const { word, tone } = conditions[condition];
  return { text: word, tone };
}

/** Makes a start that can be repeated: the same id starts nothing twice. */
function newId(): string {
  return crypto.randomUUID();
}
