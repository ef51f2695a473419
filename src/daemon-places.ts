/** Where the daemon finds what is its own, and what it allows itself. */
import { fileURLToPath } from 'node:url';
import type { Config } from './config.js';
import type { QueueLimits } from './control/run-queue.js';
import type { Host } from './core/host.js';
import type { SnapshotRecord } from './core/snapshot.js';
import { readSnapshots } from './execute/snapshot-json.js';

/** Executors are plain Node processes, so they need the compiled file also when this one runs from source. */
export const executorEntry = fileURLToPath(new URL('./execute/executor-main.js', import.meta.url));

/** The contract as reflection answers it. */
export const descriptorFile = fileURLToPath(new URL('./gen/busy.binpb', import.meta.url));

/** Where no restore may write. */
export function ownDirectories(stateDir: string, hosts: readonly Host[]): string[] {
  const all = hosts.flatMap(({ backupdir, archivedir, archive }) => [backupdir, archivedir, archive.copyTo]);
  return [...new Set([...all, stateDir])].filter((directory) => directory !== '');
}

/** The snapshot on the disk that a run committed, or null. */
export async function findCommitted(host: Host, runId: string): Promise<SnapshotRecord | null> {
  const snapshots = await readSnapshots(host.backupdir, host.name);
  return snapshots.find((snapshot) => snapshot.runId === runId) ?? null;
}

/** How many backups may run together. */
export function limitsOf(config: Config): QueueLimits {
  return { total: config.maxRunning, perDisk: config.maxRunningPerDisk };
}
