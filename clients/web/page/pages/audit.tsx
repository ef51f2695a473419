/** Who changed what, and how it ended. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { AuditOutcome, type AuditEntry } from '../../gen/busy/v1/audit_service_pb.js';
import { Role } from '../../gen/busy/v1/token_service_pb.js';
import { auditService } from '../api/clients.js';
import { count } from '../format/units.js';
import { ActionButton } from '../parts/action-button.js';
import { DataTable } from '../parts/data-table.js';
import { Empty, Failure, Waiting } from '../parts/notices.js';
import { Mark, type Tone } from '../parts/states.js';
import { Foreign } from '../parts/text.js';
import { When } from '../parts/times.js';
import { PageHeading } from '../parts/page-heading.js';

const outcomes: Readonly<Record<AuditOutcome, readonly [Tone, string]>> = {
  [AuditOutcome.UNSPECIFIED]: ['quiet', 'not known'],
  [AuditOutcome.OK]: ['good', 'done'],
  [AuditOutcome.FAILED]: ['bad', 'failed'],
  [AuditOutcome.REFUSED]: ['doubtful', 'refused'],
  [AuditOutcome.UNKNOWN]: ['doubtful', 'not known'],
};

export function AuditPage() {
  const list = useInfiniteQuery({
    queryKey: ['audit'],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      auditService.listAudit({ pageSize: 100, pageToken: pageParam }, { signal }),
    getNextPageParam: ({ nextPageToken }) => (nextPageToken === '' ? undefined : nextPageToken),
  });
  const entries = list.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <>
      <PageHeading title="Audit" />
      <Verify />
      {list.isPending && <Waiting rows={8} />}
      {list.isError && !list.data && <Failure error={list.error} onRetry={() => void list.refetch()} />}
      {list.data && entries.length === 0 && <Empty title="Nothing was changed by a call yet." />}
      {entries.length > 0 && (
        <DataTable name="Calls" heads={['When', 'Who', 'From', 'What', 'Host', 'Outcome', 'Request']}>
          {entries.map((entry) => (
            <EntryRow key={String(entry.sequence)} entry={entry} />
          ))}
        </DataTable>
      )}
      {list.hasNextPage && (
        <ActionButton onAction={async () => void (await list.fetchNextPage())}>Show more</ActionButton>
      )}
    </>
  );
}

function EntryRow({ entry }: { readonly entry: AuditEntry }) {
  const [tone, word] = outcomes[entry.outcome];
  return (
    <tr>
      <th scope="row">
        <When time={entry.at} />
      </th>
      <td>
        <Foreign text={entry.caller} /> <span className="faint">{entry.role}</span>
      </td>
      <td className="mono">{entry.address === '' ? 'socket' : entry.address}</td>
      <td>{entry.call.slice(entry.call.lastIndexOf('/') + 1)}</td>
      <td>{entry.host}</td>
      <td>
        <Mark tone={tone} text={word} /> <span className="faint">{entry.reason}</span>
      </td>
      <td className="request">
        <Foreign text={entry.request} />
      </td>
    </tr>
  );
}

function Verify() {
  const [answer, setAnswer] = useState('');
  const verify = async (): Promise<void> => {
    setAnswer('');
    const found = await auditService.verifyAudit({});
    setAnswer(
      found.isWhole
        ? `All ${count(found.lines)} lines are as they were written. The last has the hash ${found.headHash}.`
        : `Line ${count(found.brokenLine)} of ${found.brokenFile} was changed: ${found.problem}`,
    );
  };
  return (
    <div className="tools">
      <ActionButton needs={Role.ADMIN} onAction={verify}>
        Verify the chain
      </ActionButton>
      <span role="status" className="request">
        {answer}
      </span>
    </div>
  );
}
