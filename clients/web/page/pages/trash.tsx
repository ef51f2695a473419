/** What was deleted and is not gone yet. */
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Role } from '../../gen/busy/v1/token_service_pb.js';
import { TrashKind, type TrashEntry } from '../../gen/busy/v1/trash_service_pb.js';
import { trashService } from '../api/clients.js';
import { ActionButton, RoleNote } from '../parts/action-button.js';
import { Confirmation } from '../parts/confirmation.js';
import { DataTable } from '../parts/data-table.js';
import { Empty, Failure, Waiting } from '../parts/notices.js';
import { PageHeading, useHeadingWhenGone } from '../parts/page-heading.js';
import { Age, Until } from '../parts/times.js';

const kinds: Readonly<Record<TrashKind, string>> = {
  [TrashKind.UNSPECIFIED]: 'unknown',
  [TrashKind.SNAPSHOT]: 'snapshot',
  [TrashKind.HOST]: 'host',
  [TrashKind.ARCHIVE]: 'archive',
};

export function TrashPage() {
  const queries = useQueryClient();
  const list = useInfiniteQuery({
    queryKey: ['trash'],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      trashService.listTrash({ pageSize: 200, pageToken: pageParam }, { signal }),
    getNextPageParam: ({ nextPageToken }) => (nextPageToken === '' ? undefined : nextPageToken),
  });
  const entries = list.data?.pages.flatMap((page) => page.entries) ?? [];
  useHeadingWhenGone(entries.length);
  const empty = async (id: string, confirm: string): Promise<void> => {
    await trashService.emptyTrash({ id, confirm });
    await list.refetch();
  };
  const restore = async (id: string): Promise<void> => {
    await trashService.restoreFromTrash({ id });
    // A host, a snapshot or an archive is back, whatever shows it.
    await queries.invalidateQueries();
  };
  return (
    <>
      <PageHeading title="Trash" />
      {list.isPending && <Waiting rows={4} />}
      {list.isError && !list.data && <Failure error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && entries.length === 0 && (
        <Empty title="The trash is empty.">
          Snapshots, archives and hosts that are deleted come here first, and are gone for good after
          trash_days.
        </Empty>
      )}
      {entries.length > 0 && (
        <>
          <div className="headline">
            <Confirmation
              opener="Empty the trash …"
              title="Empty the trash"
              word="all"
              action="Remove all of it for good"
              needs={Role.ADMIN}
              onConfirm={() => empty('', 'all')}
            >
              Everything in the trash is removed at once and cannot be brought back.
            </Confirmation>
          </div>
          <RoleNote needs={Role.ADMIN} />
          <DataTable name="Trash" heads={['What', 'Kind', 'Deleted', 'By', 'Gone for good', '~Actions']}>
            {entries.map((entry) => (
              <EntryRow key={entry.id} entry={entry} onRestore={restore} onEmpty={empty} />
            ))}
          </DataTable>
        </>
      )}
      {list.hasNextPage && (
        <ActionButton onAction={async () => void (await list.fetchNextPage())}>Show more</ActionButton>
      )}
    </>
  );
}

function EntryRow(props: {
  readonly entry: TrashEntry;
  readonly onRestore: (id: string) => Promise<void>;
  readonly onEmpty: (id: string, confirm: string) => Promise<void>;
}) {
  const { entry, onRestore, onEmpty } = props;
  const name = entry.snapshot === '' ? entry.host : `${entry.host}/${entry.snapshot}`;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{kinds[entry.kind]}</td>
      <td>
        <Age time={entry.putAt} />
      </td>
      <td>{entry.putBy}</td>
      <td>
        <Until time={entry.goesAt} />
      </td>
      <td className="row-actions">
        <ActionButton needs={Role.ADMIN} onAction={() => onRestore(entry.id)}>
          Put back
        </ActionButton>
        <Confirmation
          opener="Remove …"
          title={`Remove ${name} for good`}
          word={name}
          action="Remove it for good"
          needs={Role.ADMIN}
          onConfirm={() => onEmpty(entry.id, name)}
        >
          It is removed at once and cannot be brought back.
        </Confirmation>
      </td>
    </tr>
  );
}
