/** Snapshots that became archives. */
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Archive } from '../../gen/busy/v1/archive_service_pb.js';
import { Role } from '../../gen/busy/v1/token_service_pb.js';
import { archiveService } from '../api/clients.js';
import { keys } from '../api/queries.js';
import { bytes } from '../format/units.js';
import { ActionButton } from '../parts/action-button.js';
import { Confirmation } from '../parts/confirmation.js';
import { DataTable } from '../parts/data-table.js';
import { Empty, Failure, Waiting } from '../parts/notices.js';
import { Mark } from '../parts/states.js';
import { Age } from '../parts/times.js';
import { PageHeading } from '../parts/page-heading.js';

export function ArchivesPage() {
  const queries = useQueryClient();
  const [said, setSaid] = useState('');
  const list = useInfiniteQuery({
    queryKey: keys.archives,
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      archiveService.listArchives({ pageSize: 200, pageToken: pageParam }, { signal }),
    getNextPageParam: ({ nextPageToken }) => (nextPageToken === '' ? undefined : nextPageToken),
  });
  const archives = list.data?.pages.flatMap((page) => page.archives) ?? [];
  const remove = async ({ host, name }: Archive): Promise<void> => {
    const { leftBehind } = await archiveService.deleteArchive({ host, name });
    setSaid(`${host}/${name} is in the trash. ${leftBehind}`);
    for (const key of [keys.archives, ['trash']]) void queries.invalidateQueries({ queryKey: key });
  };
  return (
    <>
      <PageHeading title="Archives" />
      <p role="status">{said}</p>
      {list.isPending && <Waiting rows={6} />}
      {list.isError && !list.data && <Failure error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && archives.length === 0 && (
        <Empty title="There are no archives.">
          With archivedir in the configuration, snapshots older than max_age become archives. By hand: busy
          archive HOST
        </Empty>
      )}
      {archives.length > 0 && (
        <DataTable
          name="Archives"
          heads={['Snapshot', 'Host', 'Archived', 'Read back', '#Size', '#Holds', '~Actions']}
        >
          {archives.map((archive) => (
            <ArchiveRow
              key={`${archive.host}/${archive.name}`}
              archive={archive}
              onRemove={() => remove(archive)}
            />
          ))}
        </DataTable>
      )}
      {list.hasNextPage && (
        <ActionButton onAction={async () => void (await list.fetchNextPage())}>Show more</ActionButton>
      )}
    </>
  );
}

function ArchiveRow(props: { readonly archive: Archive; readonly onRemove: () => Promise<void> }) {
  const { host, name, archivedAt, damage, verifiedAt, bytes: size, manifest } = props.archive;
  return (
    <tr>
      <th scope="row">
        <Link href={`/hosts/${host}/snapshots/${name}`}>{name}</Link>
      </th>
      <td>
        <Link href={`/hosts/${host}`}>{host}</Link>
      </td>
      <td>
        <Age time={archivedAt} />
      </td>
      <td>{damage === '' ? <Age time={verifiedAt} /> : <Mark tone="bad" text={damage} />}</td>
      <td className="number">{bytes(size)}</td>
      <td className="number">{manifest ? bytes(manifest.bytes) : '–'}</td>
      <td className="row-actions">
        <Confirmation
          opener="Delete …"
          title={`Delete the archive ${name}`}
          word={`${host}/${name}`}
          action="Move it to the trash"
          needs={Role.ADMIN}
          onConfirm={props.onRemove}
        >
          The archive and its copy go to the trash, from which they can be put back for some days. Where the
          snapshot is not on the backup disk any more, nothing else has its files.
        </Confirmation>
      </td>
    </tr>
  );
}
