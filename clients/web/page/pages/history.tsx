/** How one path fared: in which snapshots it is, and where it changed. */
import { escapeText } from '../../../cli/escape.js';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'wouter';
import { FileChange, FileType, FileVersionState, type FileVersion } from '../../gen/busy/v1/browse_pb.js';
import { snapshotService } from '../api/clients.js';
import { downloadUrl } from '../api/files.js';
import { bytes } from '../format/units.js';
import { DownloadLink, useDownloadRefusal } from '../parts/download-link.js';
import { Empty, Failure, Waiting } from '../parts/notices.js';
import { Foreign } from '../parts/text.js';
import { Age } from '../parts/times.js';
import { DataTable } from '../parts/data-table.js';
import { PageHeading } from '../parts/page-heading.js';

export function HistoryPage({ host }: { readonly host: string }) {
  const [search] = useSearchParams();
  const path = search.get('path') ?? '/';
  const history = useQuery({
    queryKey: ['history', host, path],
    queryFn: async ({ signal }) => {
      const versions: FileVersion[] = [];
      for await (const part of snapshotService.listFileVersions({ host, path }, { signal }))
        versions.push(...part.versions);
      return versions.toReversed();
    },
  });
  const isThere = history.data?.some(({ file }) => file !== undefined) ?? false;
  return (
    <>
      <PageHeading title={`${host} · ${escapeText(path)}`}>
        <Link href={`/hosts/${host}`}>{host}</Link> · <Foreign text={path} />
      </PageHeading>
      {history.isPending && <Waiting rows={6} />}
      {history.isError && !history.data && (
        <Failure error={history.error} onRetry={() => void history.refetch()} />
      )}
      {history.data && !isThere && <Empty title="No snapshot of this host has this path." />}
      {history.data && isThere && (
        <DataTable name="Versions" heads={['Snapshot', 'Age', 'What happened', '#Size', '~Download']}>
          {history.data.map((version) => (
            <VersionRow key={version.snapshot?.name} host={host} path={path} version={version} />
          ))}
        </DataTable>
      )}
    </>
  );
}

function VersionRow(props: { readonly host: string; readonly path: string; readonly version: FileVersion }) {
  const { host, path, version } = props;
  const refusal = useDownloadRefusal();
  const { file, snapshot } = version;
  const name = snapshot?.name ?? '';
  return (
    <tr className={version.state === FileVersionState.SAME ? 'faint' : ''}>
      <th scope="row">{name}</th>
      <td>
        <Age time={snapshot?.startedAt} />
      </td>
      <td>{wordsOf(version)}</td>
      <td className="number">{file?.type === FileType.FILE ? bytes(file.size) : ''}</td>
      <td>
        {file && (
          <DownloadLink href={downloadUrl(host, name, [path])} refusal={refusal}>
            Download
          </DownloadLink>
        )}
      </td>
    </tr>
  );
}

const words: Readonly<Record<FileVersionState, string>> = {
  [FileVersionState.UNSPECIFIED]: '',
  [FileVersionState.ABSENT]: 'not there',
  [FileVersionState.FIRST]: 'there for the first time',
  [FileVersionState.SAME]: 'as before',
  [FileVersionState.CHANGED]: 'changed',
  [FileVersionState.GONE]: 'gone',
  [FileVersionState.UNKNOWN]: 'unknown',
};

function wordsOf({ state, changes, message }: FileVersion): string {
  const what = changes.map((change) => (FileChange[change] ?? '').toLowerCase()).join(', ');
  return [words[state], what, message].filter((text) => text !== '').join(': ');
}
