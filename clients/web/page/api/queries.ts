/** What the pages ask for, each under a key by which it is asked for anew when something has changed. */
import { queryOptions } from '@tanstack/react-query';
import type { Host } from '../../gen/busy/v1/host_service_pb.js';
import type { Snapshot } from '../../gen/busy/v1/snapshot_pb.js';
import { backupService, daemonService, hostService, snapshotService } from './clients.js';

/** A host whose age grows changes without a run. */
const lookAgainMs = 15_000;
const pageSize = 1000;

export const keys = {
  hosts: ['hosts'],
  host: (name: string) => ['host', name],
  snapshots: (host: string) => ['snapshots', host],
  runs: (host: string) => ['runs', host],
  run: (id: string) => ['run', id],
  info: ['info'],
  archives: ['archives'],
} as const;

export const hostsQuery = queryOptions({
  queryKey: keys.hosts,
  refetchInterval: lookAgainMs,
  queryFn: async ({ signal }) => {
    const hosts: Host[] = [];
    let page = await hostService.listHosts({ pageSize }, { signal });
    hosts.push(...page.hosts);
    while (page.nextPageToken !== '') {
      page = await hostService.listHosts({ pageSize, pageToken: page.nextPageToken }, { signal });
      hosts.push(...page.hosts);
    }
    return { hosts, origin: page.origin };
  },
});

export const hostQuery = (name: string) =>
  queryOptions({
    queryKey: keys.host(name),
    refetchInterval: lookAgainMs,
    queryFn: ({ signal }) => hostService.getHost({ name }, { signal }),
  });

export const defaultsQuery = queryOptions({
  queryKey: ['defaults'],
  queryFn: ({ signal }) => hostService.getHostDefaults({}, { signal }),
});

export const explainQuery = (name: string) =>
  queryOptions({
    queryKey: [...keys.host(name), 'explain'],
    queryFn: ({ signal }) => hostService.explainHost({ name }, { signal }),
  });

export const snapshotsQuery = (host: string) =>
  queryOptions({
    queryKey: keys.snapshots(host),
    queryFn: async ({ signal }) => {
      const snapshots: Snapshot[] = [];
      let pageToken = '';
      do {
        const page = await snapshotService.listSnapshots({ host, pageSize, pageToken }, { signal });
        snapshots.push(...page.snapshots);
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      return snapshots;
    },
  });

/** The newest runs of a host. */
export const runsQuery = (host: string) =>
  queryOptions({
    queryKey: keys.runs(host),
    queryFn: async ({ signal }) => (await backupService.listRuns({ host, pageSize: 100 }, { signal })).runs,
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: keys.run(id),
    queryFn: async ({ signal }) => (await backupService.getRun({ id }, { signal })).run ?? null,
  });

export const infoQuery = queryOptions({
  queryKey: keys.info,
  refetchInterval: lookAgainMs,
  queryFn: ({ signal }) => daemonService.getDaemonInfo({}, { signal }),
});
