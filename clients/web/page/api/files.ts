/** Files of snapshots: one directory at a time, and addresses for downloads. */
import { infiniteQueryOptions } from '@tanstack/react-query';
import { gatewayUrl } from './base.js';
import { snapshotService } from './clients.js';

const filesAtOnce = 1000;

export interface PlaceInSnapshot {
  readonly host: string;
  readonly snapshot: string;
  /** On the host, from its root on. */
  readonly path: string;
}

export const directoryQuery = ({ host, snapshot, path }: PlaceInSnapshot) =>
  infiniteQueryOptions({
    queryKey: ['files', host, snapshot, path],
    // A snapshot does not change.
    staleTime: Infinity,
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      snapshotService.listFiles(
        { host, snapshot, path, pageSize: filesAtOnce, pageToken: pageParam },
        { signal },
      ),
    getNextPageParam: ({ nextPageToken }) => (nextPageToken === '' ? undefined : nextPageToken),
  });

/** What the browser opens to save these: one file as it is, all else as one tarball. */
export function downloadUrl(host: string, snapshot: string, paths: readonly string[]): string {
  const query = new URLSearchParams([
    ['host', host],
    ['snapshot', snapshot],
    ...paths.map((path): [string, string] => ['path', path]),
  ]);
  return gatewayUrl(`download?${query}`);
}
