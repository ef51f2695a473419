/** What became of the files from one snapshot to another. */
import { useEffect, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import {
  DifferenceState,
  FileChange,
  type DiffSummary,
  type FileDifference,
} from '../../gen/busy/v1/browse_pb.js';
import { snapshotService } from '../api/clients.js';
import { bytes, count } from '../format/units.js';
import { Failure } from '../parts/notices.js';
import { ProgressBar } from '../parts/progress.js';
import { Foreign } from '../parts/text.js';
import { DataTable } from '../parts/data-table.js';
import { PageHeading } from '../parts/page-heading.js';

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
  const [search] = useSearchParams();
  const [from, to] = [search.get('from') ?? '', search.get('to') ?? ''];
  const comparison = useComparison(host, from, to);
  const { differences, entries, summary, error } = comparison;
  return (
    <>
      <PageHeading title={`${host} · ${from} → ${to}`}>
        <Link href={`/hosts/${host}`}>{host}</Link> · {from} → {to}
      </PageHeading>
      {error !== null && <Failure error={error} />}
      {summary && <Summary summary={summary} />}
      {!summary && error === null && (
        <>
          <ProgressBar percent={null} label="compares" />
          <p className="progress-words">{count(entries)} entries compared</p>
        </>
      )}
      <DataTable name="Differences" heads={['What', 'Path', '#Before', '#After']}>
        {differences.map((difference) => (
          <DifferenceRow key={pathOf(difference)} difference={difference} />
        ))}
      </DataTable>
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
function useComparison(host: string, from: string, to: string): Comparison {
  const [comparison, setComparison] = useState(nothingYet);
  useEffect(() => {
    const abort = new AbortController();
    setComparison(nothingYet);
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
  }, [host, from, to]);
  return comparison;
}
