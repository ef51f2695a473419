/** What became of the files from one snapshot to another. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import {
  DifferenceState,
  FileChange,
  type DiffSummary,
  type FileDifference,
} from '../../gen/busy/v1/browse_pb.js';
import { snapshotService } from '../api/clients.js';
import { snapshotsQuery } from '../api/queries.js';
import { bytes, count } from '../format/units.js';
import { Empty, Failure } from '../parts/notices.js';
import { ProgressBar } from '../parts/progress.js';
import { Foreign } from '../parts/text.js';
import { DataTable } from '../parts/data-table.js';
import { PageHeading } from '../parts/page-heading.js';
import { SnapshotChoice } from './compare/snapshot-choice.js';

/** A page that shows more would be of no use; the command line has all (busy diff). */
const mostShown = 2000;

interface Comparison {
  readonly differences: readonly FileDifference[];
  readonly entries: bigint;
  readonly summary: DiffSummary | null;
  readonly error: unknown;
}

const nothingYet: Comparison = { differences: [], entries: 0n, summary: null, error: null };

export function ComparePage({ host }: { readonly host: string }) {
  const [search, setSearch] = useSearchParams();
  const [newest, before] = useQuery(snapshotsQuery(host)).data ?? [];
  const from = search.get('from') ?? before?.name ?? '';
  const to = search.get('to') ?? newest?.name ?? '';
  const [attempt, setAttempt] = useState(0);
  const comparison = useComparison({ host, from, to, attempt });
  const { differences, entries, summary, error } = comparison;
  return (
    <>
      <PageHeading title={`${host} · ${from} → ${to}`}>
        <Link href={`/hosts/${host}`}>{host}</Link> · {from} → {to}
      </PageHeading>
      <SnapshotChoice
        host={host}
        from={from}
        to={to}
        onChoose={(nextFrom, nextTo) => setSearch({ from: nextFrom, to: nextTo })}
      />
      {error !== null && <Failure error={error} onRetry={() => setAttempt(attempt + 1)} />}
      {summary && <Summary summary={summary} />}
      {!summary && error === null && (
        <>
          <ProgressBar percent={null} label="compares" />
          <p className="progress-words">{count(entries)} entries compared</p>
        </>
      )}
      {summary && differences.length === 0 && <Empty title="Nothing differs." />}
      {differences.length > 0 && (
        <DataTable name="Differences" heads={['What', 'Path', '#Before', '#After']}>
          {differences.map((difference) => (
            <DifferenceRow key={pathOf(difference)} difference={difference} />
          ))}
        </DataTable>
      )}
      {differences.length === mostShown && (
        <p className="faint">
          These are the first {count(mostShown)}. All of them: busy diff {host}/{from} {host}/{to}
        </p>
      )}
    </>
  );
}

function Summary({ summary }: { readonly summary: DiffSummary }) {
  return (
    <p>
      {count(summary.added)} added ({bytes(summary.addedBytes)}), {count(summary.removed)} removed (
      {bytes(summary.removedBytes)}), {count(summary.changed)} changed ({bytes(summary.changedBytesBefore)} →{' '}
      {bytes(summary.changedBytesAfter)}), {count(summary.metadata)} only in owner, mode or time,{' '}
      {count(summary.unchanged)} the same.
    </p>
  );
}

function DifferenceRow({ difference }: { readonly difference: FileDifference }) {
  const { state, before, after, changes } = difference;
  const what = changes.map((change) => (FileChange[change] ?? '').toLowerCase()).join(', ');
  return (
    <tr>
      <td>
        {(DifferenceState[state] ?? '').toLowerCase()} {what !== '' && <span className="faint">{what}</span>}
      </td>
      <th scope="row">
        <Foreign text={pathOf(difference)} />
      </th>
      <td className="number">{before ? bytes(before.size) : ''}</td>
      <td className="number">{after ? bytes(after.size) : ''}</td>
    </tr>
  );
}

function pathOf({ before, after }: FileDifference): string {
  return after?.path ?? before?.path ?? '';
}

/** Reads the comparison as it comes; beyond what is shown only the summary is waited for. */
function useComparison(what: {
  readonly host: string;
  readonly from: string;
  readonly to: string;
  /** Another number compares once more. */
  readonly attempt: number;
}): Comparison {
  const { host, from, to, attempt } = what;
  const [comparison, setComparison] = useState(nothingYet);
  useEffect(() => {
    const abort = new AbortController();
    setComparison(nothingYet);
    if (from === '' || to === '') return undefined;
    const read = async (): Promise<void> => {
      const request = { host, snapshot: from, otherSnapshot: to };
      for await (const part of snapshotService.diffSnapshots(request, { signal: abort.signal })) {
        setComparison((known) => ({
          ...known,
          differences:
            known.differences.length >= mostShown
              ? known.differences
              : [...known.differences, ...part.differences].slice(0, mostShown),
          entries: part.progress?.entries ?? known.entries,
          summary: part.summary ?? known.summary,
        }));
      }
    };
    read().catch((error: unknown) => {
      if (!abort.signal.aborted) setComparison((known) => ({ ...known, error }));
    });
    return () => abort.abort();
  }, [host, from, to, attempt]);
  return comparison;
}
