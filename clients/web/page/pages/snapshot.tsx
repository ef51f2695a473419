/** One snapshot: what it is, and its files, one directory at a time. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { escapeText } from '../../../cli/escape.js';
import { Role } from '../../gen/busy/v1/token_service_pb.js';
import { snapshotService } from '../api/clients.js';
import { directoryQuery, downloadUrl } from '../api/files.js';
import { snapshotsQuery } from '../api/queries.js';
import { ActionButton } from '../parts/action-button.js';
import { useDownloadRefusal } from '../parts/download-link.js';
import { Empty, Failure, Waiting } from '../parts/notices.js';
import { Breadcrumb } from './snapshot/breadcrumb.js';
import { FileTable } from './snapshot/file-table.js';
import { RestoreDialog } from './snapshot/restore-dialog.js';
import { SnapshotFacts } from './snapshot/snapshot-facts.js';
import { PageHeading } from '../parts/page-heading.js';
import { HeldDecision } from './snapshot/held-decision.js';
import { MoveToTrash } from './snapshot/move-to-trash.js';

export function SnapshotPage({ host, name }: { readonly host: string; readonly name: string }) {
  const [search] = useSearchParams();
  const [, go] = useLocation();
  const path = search.get('path') ?? '/';
  const directory = useInfiniteQuery(directoryQuery({ host, snapshot: name, path }));
  const snapshots = useQuery(snapshotsQuery(host));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const files = directory.data?.pages.flatMap((page) => page.files) ?? [];
  const isArchived = directory.data?.pages[0]?.isArchived ?? false;
  const place = snapshots.data?.findIndex((one) => one.name === name) ?? -1;
  const snapshot = snapshots.data?.[place];
  const older = place < 0 ? undefined : snapshots.data?.[place + 1];
  const downloadRefusal = useDownloadRefusal();
  const paths = chosen.size > 0 ? [...chosen] : [path];
  const verify = async (): Promise<void> => {
    const { run } = await snapshotService.verifySnapshot({ host, name, requestId: crypto.randomUUID() });
    if (run) go(`/runs/${run.id}`);
  };
  return (
    <>
      <PageHeading title={`${host}/${name} ${escapeText(path)}`}>
        <Link href={`/hosts/${host}`}>{host}</Link> · {name}
      </PageHeading>
      {snapshot && <SnapshotFacts snapshot={snapshot} />}
      {isArchived && (
        <p className="faint">This snapshot was archived; its files are read from the archive.</p>
      )}
      <div className="headline">
        {downloadRefusal === '' ? (
          <a className="button primary" href={downloadUrl(host, name, paths)}>
            Download {describe(chosen, path)}
          </a>
        ) : (
          <button aria-disabled title={downloadRefusal}>
            Download {describe(chosen, path)}
          </button>
        )}
        {chosen.size > 0 && (
          <button type="button" onClick={() => setChosen(new Set())}>
            Clear the choice
          </button>
        )}
        <RestoreDialog host={host} snapshot={name} paths={paths} />
        {older && (
          <Link className="button" href={`/hosts/${host}/compare?from=${older.name}&to=${name}`}>
            Compare with the one before
          </Link>
        )}
        {!isArchived && (
          <ActionButton needs={Role.OPERATOR} onAction={verify}>
            Verify
          </ActionButton>
        )}
        {snapshot && <MoveToTrash snapshot={snapshot} />}
      </div>
      {downloadRefusal !== '' && <p className="faint role-note">Download: {downloadRefusal}</p>}
      {snapshot && snapshot.heldFor.length > 0 && (
        <HeldDecision snapshot={snapshot} onDiscarded={() => go(`/hosts/${host}`)} />
      )}
      <Breadcrumb host={host} snapshot={name} path={path} />
      {directory.isPending && <Waiting rows={8} />}
      {directory.isError && !directory.data && (
        <Failure error={directory.error} onRetry={() => void directory.refetch()} />
      )}
      {directory.data && files.length === 0 && <Empty title="This directory is empty." />}
      {files.length > 0 && (
        <FileTable
          host={host}
          snapshot={name}
          files={files}
          chosen={chosen}
          onChoose={(file, isChosen) => setChosen(changed(chosen, file, isChosen))}
        />
      )}
      {directory.hasNextPage && (
        <ActionButton onAction={async () => void (await directory.fetchNextPage())}>Show more</ActionButton>
      )}
    </>
  );
}

function describe(chosen: ReadonlySet<string>, path: string): string {
  if (chosen.size > 0) return `${chosen.size} chosen`;
  return path === '/' ? 'all of it' : 'this directory';
}

function changed(chosen: ReadonlySet<string>, path: string, isChosen: boolean): ReadonlySet<string> {
  const next = new Set(chosen);
  if (isChosen) next.add(path);
  else next.delete(path);
  return next;
}
