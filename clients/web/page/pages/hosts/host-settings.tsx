/** The settings of one host: to be edited where it lives in the database, else to be read. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { HostOrigin } from '../../../gen/busy/v1/host_service_pb.js';
import { Role } from '../../../gen/busy/v1/token_service_pb.js';
import { hostService } from '../../api/clients.js';
import { hostQuery, keys } from '../../api/queries.js';
import { Confirmation } from '../../parts/confirmation.js';
import { Failure, Waiting } from '../../parts/notices.js';
import { PageHeading } from '../../parts/page-heading.js';
import { OriginNote, useHostsRefusal } from './origin-note.js';
import { SettingsForm, type SettingsChange } from './settings-form.js';
import { SettingsTable } from './settings-table.js';

export function HostSettingsPage({ name }: { readonly name: string }) {
  // Not asked again by itself: somebody may be typing.
  const found = useQuery({ ...hostQuery(name), refetchInterval: false, refetchOnWindowFocus: false });
  const queries = useQueryClient();
  const refusal = useHostsRefusal();
  const [said, setSaid] = useState('');
  const [, go] = useLocation();
  const forget = async (): Promise<void> => {
    for (const key of [keys.hosts, keys.host(name), ['trash']])
      await queries.invalidateQueries({ queryKey: key });
  };
  const save = async ({ settings, changed }: SettingsChange): Promise<void> => {
    setSaid('');
    const { etag } = found.data ?? {};
    await hostService.updateHost({ name, settings, updateMask: { paths: [...changed] }, etag: etag ?? '' });
    await forget();
    setSaid(`Saved: ${changed.join(', ')}. A run that is under way keeps the settings it started with.`);
  };
  const remove = async (): Promise<void> => {
    await hostService.deleteHost({ name, etag: found.data?.etag ?? '' });
    await forget();
    go('/trash');
  };
  if (found.isError) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Waiting rows={10} />;
  const { data } = found;
  const isEditable = data.origin === HostOrigin.DATABASE && refusal === '';
  return (
    <>
      <PageHeading title={`${name} · settings`}>
        <Link href={`/hosts/${name}`}>{name}</Link> · settings
      </PageHeading>
      <OriginNote />
      <div className="headline">
        <Link className="button" href={`/hosts/${name}/enroll`}>
          Enroll
        </Link>
        {isEditable && (
          <Confirmation
            opener="Remove the host …"
            title={`Remove ${name}`}
            word={name}
            action="Move it to the trash"
            needs={Role.ADMIN}
            onConfirm={remove}
          >
            Its settings go to the trash, from which they can be put back for some days. Its{' '}
            {data.host?.snapshotCount ?? 0} snapshots stay on the disk, in {data.host?.backupdir}/{name}.
          </Confirmation>
        )}
      </div>
      <p role="status">{said}</p>
      {isEditable ? (
        <SettingsForm
          key={data.etag}
          before={data.settings}
          action="Save"
          isNew={false}
          hindrance=""
          onSave={save}
        />
      ) : (
        <SettingsTable settings={data.settingsInEffect} />
      )}
    </>
  );
}
