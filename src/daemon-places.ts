/** Where the daemon finds what is its own, and what it allows itself. */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.js';
import type { Catalog } from './control/catalog.js';
import type { Committed, LifecycleParts } from './control/lifecycle-parts.js';
import type { QueueLimits } from './control/run-queue.js';
import type { Host } from './core/host.js';
import { secretFilesOf } from './daemon-secrets.js';
import { readJobs, readSnapshots } from './execute/snapshot-json.js';

/** Executors are plain Node processes, so they need the compiled file also when this one runs from source. */
export const executorEntry = fileURLToPath(new URL('./execute/executor-main.js', import.meta.url));

/** The contract as reflection answers it. */
export const descriptorFile = fileURLToPath(new URL('./gen/busy.binpb', import.meta.url));

/** Where the configuration, the scripts and files with passwords lie, if nothing else was chosen. */
const settingsDir = '/etc/busy';

/** Places of the server that runs keep away from, by the hosts there are at the time. */
export function ownPlaces(
  config: Config,
  catalog: Pick<Catalog, 'hosts'>,
): Pick<LifecycleParts, 'ownDirectories' | 'secretPlaces'> {
  return {
    ownDirectories: () => ownDirectories(config, catalog.hosts()),
    secretPlaces: () => secretPlaces(config, catalog.hosts()),
  };
}

/** Where no restore may write: the store, the daemon's own state, and what it is told by. */
function ownDirectories(config: Config, hosts: readonly Host[]): string[] {
  const stores = hosts.flatMap(({ backupdir, archivedir, archive }) => [
    backupdir,
    archivedir,
    archive.copyTo,
  ]);
  const { stateDir, file } = config;
  const all = [...stores, stateDir, settingsDir, resolve(file), ...secretPlaces(config, hosts)];
  return [...new Set(all)].filter((directory) => directory !== '');
}

/** What a backup of the server itself leaves out: who has it has all hosts. */
function secretPlaces(config: Config, hosts: readonly Host[]): string[] {
  const { stateDir } = config;
  const files = secretFilesOf(config, hosts).map(({ path }) => path);
  const directories = [join(stateDir, 'keys'), join(stateDir, 'tls')];
  const outside = files.filter((file) => !directories.some((directory) => file.startsWith(`${directory}/`)));
  return [...directories, ...outside];
}

/** The snapshot on the disk that a run committed, with what became of each source directory; or null. */
export async function findCommitted(host: Host, runId: string): Promise<Committed | null> {
  const snapshots = await readSnapshots(host.backupdir, host.name);
  const snapshot = snapshots.find((one) => one.runId === runId);
  return snapshot ? { snapshot, jobs: await readJobs(snapshot.path) } : null;
}

/** How many backups may run together. */
export function limitsOf(config: Config): QueueLimits {
  return { total: config.maxRunning, perDisk: config.maxRunningPerDisk };
}
