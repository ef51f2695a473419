/** Snapshots that became archives. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { archiveService } from '../api/clients.js';
import { keys } from '../api/queries.js';
import { bytes } from '../format/units.js';
import { ActionButton } from '../parts/action-button.js';
import { DataTable } from '../parts/data-table.js';
import { Empty, Failure, Waiting } from '../parts/notices.js';
import { Mark } from '../parts/states.js';
import { Age } from '../parts/times.js';
import { PageHeading } from '../parts/page-heading.js';

export function ArchivesPage() {
  const list = useInfiniteQuery({
    queryKey: keys.archives,
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      archiveService.listArchives({ pageSize: 200, pageToken: pageParam }, { signal }),
    getNextPageParam: ({ nextPageToken }) => (nextPageToken === '' ? undefined : nextPageToken),
  });
  const archives = list.data?.pages.flatMap((page) => page.archives) ?? [];
  return (
    <>
      <PageHeading title="Archives" />
      {list.isPending && <Waiting rows={6} />}
      {list.isError && !list.data && <Failure error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && archives.length === 0 && (
        <Empty title="There are no archives.">
          With archivedir in the configuration, snapshots older than max_age become archives. By hand: busy
          archive HOST
        </Empty>
      )}
      {archives.length > 0 && (
        <DataTable name="Archives" heads={['Snapshot', 'Host', 'Archived', 'Read back', '#Size', '#Holds']}>
          {archives.map((archive) => (
            <tr key={`${archive.host}/${archive.name}`}>
              <th scope="row">
                <Link href={`/hosts/${archive.host}/snapshots/${archive.name}`}>{archive.name}</Link>
              </th>
              <td>
                <Link href={`/hosts/${archive.host}`}>{archive.host}</Link>
              </td>
              <td>
                <Age time={archive.archivedAt} />
              </td>
              <td>
                {archive.damage === '' ? (
                  <Age time={archive.verifiedAt} />
                ) : (
                  <Mark tone="bad" text={archive.damage} />
                )}
              </td>
              <td className="number">{bytes(archive.bytes)}</td>
              <td className="number">{archive.manifest ? bytes(archive.manifest.bytes) : '–'}</td>
            </tr>
          ))}
        </DataTable>
      )}
      {list.hasNextPage && (
        <ActionButton onAction={async () => void (await list.fetchNextPage())}>Show more</ActionButton>
      )}
    </>
  );
}
