/** One row a host; those that need attention come first, and of these the oldest. */
import { Link } from 'wouter';
import type { Host } from '../../../gen/busy/v1/host_service_pb.js';
import type { Run } from '../../../gen/busy/v1/run_pb.js';
import { hasEnded } from '../../api/live-runs.js';
import { count, dateOf } from '../../format/units.js';
import { Mark, RunStateMark } from '../../parts/states.js';
import { Age } from '../../parts/times.js';
import { byCondition, conditionOf, type Condition } from './host-condition.js';

const tones = {
  failing: 'bad',
  held: 'bad',
  partial: 'doubtful',
  never: 'doubtful',
  running: 'busy',
  good: 'good',
} as const;

export function HostTable(props: { readonly hosts: readonly Host[]; readonly runs: readonly Run[] }) {
  const running = new Map(props.runs.filter((run) => !hasEnded(run)).map((run) => [run.host, run]));
  const rows = props.hosts
    .map((host) => ({ host, condition: conditionOf(host, running.get(host.name)) }))
    .sort((a, b) => byCondition(a.condition, b.condition) || ageOrder(a.host, b.host));
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Host</th>
            <th scope="col">State</th>
            <th scope="col">Newest snapshot</th>
            <th scope="col">Last run</th>
            <th scope="col" className="number">
              Snapshots
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ host, condition }) => (
            <HostRow key={host.name} host={host} condition={condition} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function HostRow({ host, condition }: { readonly host: Host; readonly condition: Condition }) {
  return (
    <tr>
      <th scope="row">
        <Link href={`/hosts/${host.name}`}>{host.name}</Link>
      </th>
      <td>
        <Mark tone={tones[condition]} text={condition} />
      </td>
      <td>
        <Age time={host.newestSnapshot?.startedAt} />
      </td>
      <td>
        {host.lastRun ? (
          <Link href={`/runs/${host.lastRun.id}`} title={host.lastRun.error?.message ?? ''}>
            <RunStateMark state={host.lastRun.state} />
          </Link>
        ) : (
          <span className="faint">none</span>
        )}
      </td>
      <td className="number">{count(host.snapshotCount)}</td>
    </tr>
  );
}

function ageOrder(a: Host, b: Host): number {
  return newestTime(a) - newestTime(b) || (a.name < b.name ? -1 : 1);
}

function newestTime(host: Host): number {
  return dateOf(host.newestSnapshot?.startedAt)?.getTime() ?? 0;
}
