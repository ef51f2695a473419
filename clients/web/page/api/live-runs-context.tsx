/** Gives all parts of the page the same live runs. */
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { createContext, use, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import type { Run } from '../../gen/busy/v1/run_pb.js';
import { backupService, daemonService } from './clients.js';
import { LiveRuns, type LiveRunsView } from './live-runs.js';
import { keys } from './queries.js';

/** A daemon that hangs does not answer either. */
const patienceMs = 10_000;

const Context = createContext<LiveRuns | null>(null);

export function LiveRunsProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient();
  const [live] = useState(
    () =>
      new LiveRuns(
        backupService,
        (signal) => daemonService.getDaemonInfo({}, { signal, timeoutMs: patienceMs }),
        { onStates: (runs) => askAnew(queries, runs), onBack: () => askAgain(queries) },
      ),
  );
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, [live]);
  return <Context value={live}>{children}</Context>;
}

/** What a run begins, makes and ends shows in lists, and in its own record. */
function askAnew(queries: QueryClient, runs: readonly Run[]): void {
  const ofHosts = [...new Set(runs.map(({ host }) => host))].flatMap((host) => [
    keys.host(host),
    keys.snapshots(host),
    keys.runs(host),
  ]);
  const ofRuns = runs.map(({ id }) => keys.run(id));
  for (const queryKey of [keys.hosts, keys.info, keys.archives, ...ofHosts, ...ofRuns])
    void queries.invalidateQueries({ queryKey });
}

/** What failed while the daemon was away, and what may have become another meanwhile. */
function askAgain(queries: QueryClient): void {
  void queries.invalidateQueries({
    predicate: (query) => query.state.status === 'error' || query.isStale(),
  });
}

export function useLiveRuns(): LiveRunsView {
  const live = use(Context);
  if (!live) throw new Error('there are no live runs here');
  return useSyncExternalStore(live.subscribe, live.current);
}

/** The run as it is now, where it changes while the page is open. */
export function useLiveRun(id: string): Run | undefined {
  return useLiveRuns().runs.find((run) => run.id === id);
}
