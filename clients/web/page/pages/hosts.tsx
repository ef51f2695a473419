/** Which hosts there are and what holds for all of them; where they live in the database, the way to change them. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { defaultsQuery, hostsQuery } from '../api/queries.js';
import { DataTable } from '../parts/data-table.js';
import { Empty, Failure, Waiting } from '../parts/notices.js';
import { PageHeading } from '../parts/page-heading.js';
import { Mark } from '../parts/states.js';
import { Foreign } from '../parts/text.js';
import { OriginNote, useHostsRefusal } from './hosts/origin-note.js';
import { SettingsTable } from './hosts/settings-table.js';

export function HostsPage() {
  const hosts = useQuery(hostsQuery);
  const defaults = useQuery(defaultsQuery);
  const refusal = useHostsRefusal();
  return (
    <>
      <PageHeading title="Hosts" />
      <OriginNote />
      {refusal === '' && (
        <div className="headline">
          <Link className="button primary" href="/new-host">
            Add a host
          </Link>
        </div>
      )}
      {hosts.isPending && <Waiting rows={6} />}
      {hosts.isError && !hosts.data && <Failure error={hosts.error} onRetry={() => void hosts.refetch()} />}
      {hosts.data?.hosts.length === 0 && (
        <Empty title="There are no hosts yet.">
          {refusal === '' ? 'The first one is added here, or with: busy host add NAME' : refusal}
        </Empty>
      )}
      {hosts.data && hosts.data.hosts.length > 0 && (
        <DataTable
          name="Hosts"
          heads={['Host', 'Address', 'Directories', 'Backups in', 'Host key', '~Actions']}
        >
          {hosts.data.hosts.map((host) => (
            <tr key={host.name}>
              <th scope="row">
                <Link href={`/hosts/${host.name}`}>{host.name}</Link>
              </th>
              <td>
                <Foreign
                  text={`${host.user}@${host.addresses[0] ?? ''}${host.port === 22 ? '' : `:${host.port}`}`}
                />
              </td>
              <td className="setting-value">
                <Foreign text={host.srcdirs.join(', ')} />
              </td>
              <td className="setting-value">
                <Foreign text={host.backupdir} />
              </td>
              <td>
                {host.hostKey === '' ? (
                  <Mark tone="bad" text="not pinned" />
                ) : (
                  <Mark tone="good" text="pinned" />
                )}
              </td>
              <td className="row-actions">
                <Link className="button" href={`/hosts/${host.name}/settings`}>
                  Settings
                </Link>
                <Link className="button" href={`/hosts/${host.name}/enroll`}>
                  Enroll
                </Link>
              </td>
            </tr>
          ))}
        </DataTable>
      )}
      <section aria-labelledby="defaults">
        <h2 id="defaults">Defaults</h2>
        <p className="faint">
          What holds for a host without settings of its own. They stand in defaults of the configuration file.
        </p>
        {defaults.isPending && <Waiting rows={4} />}
        {defaults.isError && !defaults.data && (
          <Failure error={defaults.error} onRetry={() => void defaults.refetch()} />
        )}
        {defaults.data && <SettingsTable settings={defaults.data.settings} />}
      </section>
    </>
  );
}
