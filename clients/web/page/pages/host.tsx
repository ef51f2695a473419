/** One host. */
import { useQuery } from '@tanstack/react-query';
import { Link, useLocation } from 'wouter';
import { BackupType } from '../../gen/busy/v1/run_pb.js';
import { backupService } from '../api/clients.js';
import { hostQuery, runsQuery, snapshotsQuery } from '../api/queries.js';
import { bytes, count } from '../format/units.js';
import { ActionButton } from '../parts/action-button.js';
import { Empty, Failure, Waiting } from '../parts/notices.js';
import { kindName, RunStateMark, typeName } from '../parts/states.js';
import { Age, Took, When } from '../parts/times.js';

export function HostPage({ name }: { readonly name: string }) {
  const host = useQuery(hostQuery(name));
  const snapshots = useQuery(snapshotsQuery(name));
  const runs = useQuery(runsQuery(name));
  const [, go] = useLocation();
  const backUp = async (type: BackupType): Promise<void> => {
    const { run } = await backupService.triggerBackup({ host: name, type, requestId: crypto.randomUUID() });
    if (run) go(`/runs/${run.id}`);
  };
  if (host.isError) return <Failure error={host.error} onRetry={() => void host.refetch()} />;
  return (
    <>
      <h1>{name}</h1>
      <div className="headline">
        <ActionButton kind="primary" onAction={() => backUp(BackupType.AUTO)}>
          Back up now
        </ActionButton>
        <ActionButton onAction={() => backUp(BackupType.FULL)}>Full backup</ActionButton>
      </div>
      <section aria-labelledby="snapshots">
        <h2 id="snapshots">Snapshots</h2>
        {snapshots.isPending && <Waiting />}
        {snapshots.isError && <Failure error={snapshots.error} />}
        {snapshots.data?.length === 0 && (
          <Empty title="There is no snapshot yet.">The first backup of this host makes one.</Empty>
        )}
        {snapshots.data && snapshots.data.length > 0 && (
          <div className="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Snapshot</th>
                  <th scope="col">Type</th>
                  <th scope="col">Age</th>
                  <th scope="col">Outcome</th>
                  <th scope="col" className="number">
                    Size
                  </th>
                  <th scope="col" className="number">
                    Copied
                  </th>
                </tr>
              </thead>
              <tbody>
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
              </tbody>
            </table>
          </div>
        )}
      </section>
      <section aria-labelledby="runs">
        <h2 id="runs">Runs</h2>
        {runs.data?.length === 0 && <p className="faint">Nothing has run yet.</p>}
        <ul className="runs">
          {runs.data?.slice(0, 20).map((run) => (
            <li key={run.id}>
              <Link href={`/runs/${run.id}`}>
                <When time={run.createdAt} /> {kindName(run.kind)}
              </Link>{' '}
              <RunStateMark state={run.state} /> <Took from={run.startedAt} to={run.endedAt} />
            </li>
          ))}
        </ul>
        {runs.data && runs.data.length > 20 && (
          <p className="faint">{count(runs.data.length - 20)} older ones</p>
        )}
      </section>
    </>
  );
}
