/** One row a host; those that need attention come first. */
import { memo, useMemo } from 'react';
import { Link } from 'wouter';
import type { Host } from '../../../gen/busy/v1/host_service_pb.js';
import { RunKind, RunState, type Run } from '../../../gen/busy/v1/run_pb.js';
import { hasEnded } from '../../api/live-runs.js';
import { withLocalTimes } from '../../format/times-in-text.js';
import { count } from '../../format/units.js';
import { Mark, RunStateMark } from '../../parts/states.js';
import { Foreign } from '../../parts/text.js';
import { Age, Until } from '../../parts/times.js';
import { byUrgency, conditions } from './host-condition.js';
import { DataTable } from '../../parts/data-table.js';

export function HostTable(props: { readonly hosts: readonly Host[]; readonly runs: readonly Run[] }) {
  const running = new Set(props.runs.filter(isBackupUnderWay).map(({ host }) => host));
  const sorted = useMemo(() => props.hosts.toSorted(byUrgency), [props.hosts]);
  return (
    <DataTable name="Hosts" heads={['Host', 'State', 'Newest snapshot', 'Last run', 'Next', '#Snapshots']}>
      {sorted.map((host) => (
        <HostRow key={host.name} host={host} isRunning={running.has(host.name)} />
      ))}
    </DataTable>
  );
}

/** One that waits in the queue, or verifies, does not run the backup that is next. */
function isBackupUnderWay(run: Run): boolean {
  return run.kind === RunKind.BACKUP && run.state !== RunState.QUEUED && !hasEnded(run);
}

/** Drawn anew only when its host has changed: what runs is told several times a second. */
const HostRow = memo(function HostRow(props: { readonly host: Host; readonly isRunning: boolean }) {
  const { host, isRunning } = props;
  const { word, tone } = conditions[host.condition];
  return (
    <tr>
      <th scope="row">
        <Link href={`/hosts/${host.name}`}>{host.name}</Link>
      </th>
      <td className="condition">
        <Mark tone={tone} text={word} />
        {!host.conditionReason.includes(word) && (
          <Foreign className="condition-reason faint" text={withLocalTimes(host.conditionReason)} />
        )}
      </td>
      <td>
        <Age time={host.newestSnapshot?.startedAt} />
      </td>
      <td>
        {host.lastRun ? (
          <Link href={`/runs/${host.lastRun.id}`}>
            <RunStateMark state={host.lastRun.state} />
          </Link>
        ) : (
          <span className="faint">none</span>
        )}
      </td>
      <td>{isRunning ? <span className="faint">runs now</span> : <Until time={host.nextAt} />}</td>
      <td className="number">{count(host.snapshotCount)}</td>
    </tr>
  );
});
