/** Gives all parts of the page the same live runs. */
import { useQueryClient } from '@tanstack/react-query';
import { createContext, use, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import type { Run } from '../../gen/busy/v1/run_pb.js';
import { backupService, daemonService } from './clients.js';
import { LiveRuns, type LiveRunsView } from './live-runs.js';
import { keys } from './queries.js';

const Context = createContext<LiveRuns | null>(null);

export function LiveRunsProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient();
  const [live] = useState(
    () =>
      new LiveRuns(
        backupService,
        (signal) => daemonService.getDaemonInfo({}, { signal }),
        (run) => {
          // What a run has made shows in lists.
          for (const key of [keys.hosts, keys.host(run.host), keys.snapshots(run.host), keys.info])
            void queries.invalidateQueries({ queryKey: key });
        },
      ),
  );
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, [live]);
  return <Context value={live}>{children}</Context>;
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
