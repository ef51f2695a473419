/** The settings of one host: to be edited where it lives in the database, else to be read. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { HostOrigin, type GetHostResponse } from '../../../gen/busy/v1/host_service_pb.js';
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
  const found = useQuery({ ...hostQuery(name), staleTime: 0 });
  // Kept as it was when the form was opened, whatever is asked for meanwhile: somebody may be typing.
  const [opened, setOpened] = useState<GetHostResponse | null>(null);
  if (!opened && found.data && found.isFetchedAfterMount && !found.isError) setOpened(found.data);
  const queries = useQueryClient();
  const refusal = useHostsRefusal();
  const [said, setSaid] = useState('');
  const [, go] = useLocation();
  const forget = (): void => {
    for (const queryKey of [keys.hosts, ['trash']]) void queries.invalidateQueries({ queryKey });
  };
  const load = async (): Promise<void> =>
    setOpened(await queries.fetchQuery({ ...hostQuery(name), staleTime: 0 }));
  const save = async ({ settings, changed }: SettingsChange): Promise<void> => {
    setSaid('');
    const etag = opened?.etag ?? '';
    await hostService.updateHost({ name, settings, updateMask: { paths: [...changed] }, etag });
    forget();
    await load();
    setSaid(`Saved: ${changed.join(', ')}. A run that is under way keeps the settings it started with.`);
  };
  const remove = async (): Promise<void> => {
    await hostService.deleteHost({ name, etag: opened?.etag ?? '' });
    go('/trash');
    forget();
    queries.removeQueries({ queryKey: keys.host(name) });
  };
  if (found.isError && !opened) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  if (!opened) return <Waiting rows={10} />;
  const isEditable = opened.origin === HostOrigin.DATABASE && refusal === '';
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
            {opened.host?.snapshotCount ?? 0} snapshots stay on the disk, in {opened.host?.backupdir}/{name}.
          </Confirmation>
        )}
      </div>
      <p role="status">{said}</p>
      {isEditable ? (
        <SettingsForm
          before={opened.settings}
          action="Save"
          isNew={false}
          hindrance=""
          onSave={save}
          onReload={load}
        />
      ) : (
        <SettingsTable settings={opened.settingsInEffect} />
      )}
    </>
  );
}
