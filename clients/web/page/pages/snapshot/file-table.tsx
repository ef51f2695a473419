/** The entries of a directory. */
import { Link } from 'wouter';
import { FileType, type File } from '../../../gen/busy/v1/browse_pb.js';
import { downloadUrl } from '../../api/files.js';
import { modeText } from '../../format/modes.js';
import { nameOf } from '../../format/paths.js';
import { bytes } from '../../format/units.js';
import { DownloadLink, useDownloadRefusal } from '../../parts/download-link.js';
import { Foreign } from '../../parts/text.js';
import { When } from '../../parts/times.js';
import { historyAddress, snapshotAddress } from './snapshot-address.js';
import { DataTable } from '../../parts/data-table.js';

interface FileTableProps {
  readonly host: string;
  readonly snapshot: string;
  readonly files: readonly File[];
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (path: string, isChosen: boolean) => void;
}

export function FileTable({ host, snapshot, files, chosen, onChoose }: FileTableProps) {
  const refusal = useDownloadRefusal();
  return (
    <DataTable name="Files" heads={['~Choose', 'Name', '#Size', 'Changed', 'Mode', '#Owner', '~More']}>
      {files.map((file) => (
        <tr key={file.path}>
          <td>
            <input
              type="checkbox"
              aria-label={`Choose ${nameOf(file.path)}`}
              checked={chosen.has(file.path)}
              onChange={(event) => onChoose(file.path, event.target.checked)}
            />
          </td>
          <th scope="row">
            <FileName host={host} snapshot={snapshot} file={file} refusal={refusal} />
          </th>
          <td className="number">{file.type === FileType.FILE ? bytes(file.size) : ''}</td>
          <td>
            <When time={mtimeOf(file)} />
          </td>
          <td className="mono">{modeText(file.type, file.mode)}</td>
          <td className="number">
            {file.uid}:{file.gid}
          </td>
          <td>
            <Link href={historyAddress(host, file.path)}>History</Link>
          </td>
        </tr>
      ))}
    </DataTable>
  );
}

function FileName(props: {
  readonly host: string;
  readonly snapshot: string;
  readonly file: File;
  /** Why it cannot be downloaded. */
  readonly refusal: string;
}) {
  const { host, snapshot, file, refusal } = props;
  const name = <Foreign text={nameOf(file.path)} />;
  if (file.error !== '')
    return (
      <>
        {name} <span className="faint">cannot be read ({file.error})</span>
      </>
    );
  if (file.type === FileType.DIRECTORY)
    return <Link href={snapshotAddress({ host, snapshot, path: file.path })}>{name}/</Link>;
  if (file.type === FileType.FILE)
    return (
      <DownloadLink href={downloadUrl(host, snapshot, [file.path])} refusal={refusal}>
        {name}
      </DownloadLink>
    );
  if (file.type !== FileType.SYMLINK) return name;
  return (
    <>
      {name} → <Foreign text={file.target} />
    </>
  );
}

function mtimeOf(file: File) {
  return {
    $typeName: 'google.protobuf.Timestamp',
    seconds: file.mtimeSeconds,
    nanos: file.mtimeNanos,
  } as const;
}
