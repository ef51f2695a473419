/**
 * The composition root: builds every part, starts them in order, and stops them in reverse. Order of the start:
 * lock, database, recovery, queue, endpoints; so a client never sees a run of a dead daemon as running.
 */
import { mkdir, statfs } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.js';
import { Catalog } from './control/catalog.js';
import { LogGrowth, streamLog, type LogRequest } from './control/log-stream.js';
import { recover } from './control/recovery.js';
import { RunEvents } from './control/run-events.js';
import { RunLifecycle } from './control/run-lifecycle.js';
import type { Host } from './core/host.js';
import type { SnapshotRecord } from './core/snapshot.js';
import { ExecutorPool } from './execute/executor-pool.js';
import { requireLocalRsync } from './execute/local-rsync.js';
import { readSnapshots } from './execute/snapshot-json.js';
import type { GetDaemonInfoResponse } from './gen/busy/v1/daemon_service.js';
import type { Logger } from './log.js';
import { createRpcServer } from './rpc/server.js';
import { openDatabase } from './store/data-source.js';
import { openRunLogs } from './store/run-log.js';
import { createRunStore } from './store/runs.js';
import { createSnapshotStore } from './store/snapshots.js';
import { lockStateDir } from './store/state-lock.js';
import { version } from './version.js';

export interface Daemon {
  /** Running backups may end until `giveUp` is aborted, then they are cancelled. Settles when all has ended. */
  stop(giveUp: AbortSignal): Promise<void>;
}

const clock = { now: (): Date => new Date() };

/** Starts the daemon. Throws with a sentence for the administrator; what was started by then is stopped again. */
export async function startDaemon(config: Config, log: Logger): Promise<Daemon> {
  const startedAt = clock.now();
  const closers: ((giveUp: AbortSignal) => Promise<void>)[] = [];
  const stop = async (giveUp: AbortSignal): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) {
      await close(giveUp).catch((error: unknown) => log.error('a part did not stop well', { error }));
    }
  };
  try {
    await mkdir(config.stateDir, { recursive: true, mode: 0o750 });
    closers.push(await lockStateDir(config.stateDir));
    const database = await openDatabase(config.database.path);
    closers.push(() => database.close());
    const parts = {
      clock,
      runs: createRunStore(database),
      logs: await openRunLogs(config.stateDir, clock),
      catalog: new Catalog(config.hosts, createSnapshotStore(database)),
      growth: new LogGrowth(),
      findCommitted,
    };
    const events = new RunEvents(parts.runs, clock);
    await events.start();
    await parts.catalog.load();
    for (const run of await recover({ ...parts, nextRevision: () => events.nextRevision() })) {
      log.warn('a run was left by a daemon that died', { run: run.id, host: run.host, state: run.state });
    }
    const executor = new ExecutorPool(executorEntry(), config.executors, (pid, ending) => {
      log.error('an executor process died', { pid, ending });
    });
    closers.push(() => executor.stop());
    const onError = (message: string, error: unknown): void => void log.error(message, { error });
    const lifecycle = new RunLifecycle({
      ...parts,
      executor,
      events,
      maxRunning: config.maxRunning,
      onError,
    });
    await lifecycle.start();
    closers.push((giveUp) => lifecycle.stop(giveUp));
    const sources = { logs: parts.logs, growth: parts.growth, getRun: (id: string) => lifecycle.get(id) };
    let endpoints: string[] = [];
    const server = await createRpcServer({
      ...parts,
      lifecycle,
      executor,
      log,
      events,
      streamLog: (request: LogRequest, signal: AbortSignal) => streamLog(sources, request, signal),
      daemonInfo: () => describeDaemon({ config, startedAt, endpoints, executor, lifecycle }),
      descriptorFile: fileURLToPath(new URL('./gen/busy.binpb', import.meta.url)),
    });
    endpoints = await server.listen(config.listen);
    closers.push(() => server.stop());
    log.info('ready', { version: version(), endpoints: endpoints.join(' '), hosts: config.hosts.length });
    return { stop };
  } catch (error) {
    await stop(AbortSignal.abort());
    throw error;
  }
}

/** Executors are plain Node processes, so they need the compiled file also when this one runs from source. */
function executorEntry(): string {
  return fileURLToPath(new URL('./execute/executor-main.js', import.meta.url));
}

async function findCommitted(host: Host, runId: string): Promise<SnapshotRecord | null> {
  const snapshots = await readSnapshots(host.backupdir, host.name);
  return snapshots.find((snapshot) => snapshot.runId === runId) ?? null;
}

interface DaemonFacts {
  readonly config: Config;
  readonly startedAt: Date;
  readonly endpoints: readonly string[];
  readonly executor: ExecutorPool;
  readonly lifecycle: RunLifecycle;
}

async function describeDaemon(facts: DaemonFacts): Promise<GetDaemonInfoResponse> {
  const { config, lifecycle } = facts;
  const counts = lifecycle.counts();
  const backupdirs = [...new Set(config.hosts.map((host) => host.backupdir))].sort();
  const disks = await Promise.all(backupdirs.map(describeDisk));
  return {
    version: version(),
    startedAt: facts.startedAt,
    pid: process.pid,
    configFile: config.file,
    stateDir: config.stateDir,
    database: config.database.kind,
    endpoints: [...facts.endpoints],
    hostCount: config.hosts.length,
    runsQueued: counts.queued,
    runsRunning: counts.running,
    maxRunning: config.maxRunning,
    executors: facts.executor.processCount(),
    rsyncVersion: await requireLocalRsync(new AbortController().signal).catch(() => ''),
    memoryBytes: process.memoryUsage.rss(),
    disks: disks.filter((disk) => disk !== null),
  };
}

async function describeDisk(
  backupdir: string,
): Promise<{ backupdir: string; freeBytes: number; totalBytes: number } | null> {
  const disk = await statfs(backupdir).catch(() => null);
  return disk && { backupdir, freeBytes: disk.bavail * disk.bsize, totalBytes: disk.blocks * disk.bsize };
}
