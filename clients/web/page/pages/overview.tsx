/** The state of all backups at one look: what needs attention first. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { useLiveRuns } from '../api/live-runs-context.js';
import { hasEnded } from '../api/live-runs.js';
import { hostsQuery, infoQuery } from '../api/queries.js';
import { useHostsRefusal } from './hosts/origin-note.js';
import { HostTable } from './overview/host-table.js';
import { Totals } from './overview/totals.js';
import { Empty, Failure, Waiting } from '../parts/notices.js';
import { RunProgress } from '../parts/progress.js';
import { kindName } from '../parts/states.js';
import { PageHeading } from '../parts/page-heading.js';

export function OverviewPage() {
  const hosts = useQuery(hostsQuery);
  const info = useQuery(infoQuery);
  const { runs, connection } = useLiveRuns();
  const isKnown = connection === 'live' || runs.length > 0;
  const going = runs.filter((run) => !hasEnded(run));
  return (
    <>
      <PageHeading title="Overview" />
      <Totals hosts={hosts.data?.hosts ?? null} info={info.data ?? null} going={isKnown ? going : null} />
      <section aria-labelledby="now">
        <h2 id="now">Now</h2>
        {going.length === 0 ? (
          <p className="faint">{isKnown ? 'Nothing runs at the moment.' : 'Asks what runs …'}</p>
        ) : (
          <ul className="going">
            {going.map((run) => (
              <li key={run.id}>
                <Link href={`/runs/${run.id}`}>
                  {run.host} · {kindName(run.kind)}
                </Link>
                <RunProgress run={run} />
              </li>
            ))}
          </ul>
        )}
      </section>
      <section aria-labelledby="hosts">
        <h2 id="hosts">Hosts</h2>
        {hosts.isPending && <Waiting rows={8} />}
        {hosts.isError && !hosts.data && <Failure error={hosts.error} onRetry={() => void hosts.refetch()} />}
        {hosts.data?.hosts.length === 0 && <NoHosts />}
        {hosts.data && hosts.data.hosts.length > 0 && <HostTable hosts={hosts.data.hosts} runs={runs} />}
      </section>
    </>
  );
}

function NoHosts() {
  const refusal = useHostsRefusal();
  return (
    <Empty title="There are no hosts yet.">
      {refusal === '' ? (
        <>
          <Link href="/new-host">Add a host</Link> here, or write one into the configuration file, or: busy
          host add NAME srcdirs=/etc,/home
        </>
      ) : (
        refusal
      )}
    </Empty>
  );
}
