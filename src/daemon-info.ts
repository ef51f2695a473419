/** What GetDaemonInfo answers: the daemon's facts, collected from its parts. */
import type { Config } from './config.js';
import type { Catalog } from './control/catalog.js';
import type { DatabaseWatch } from './control/database-watch.js';
import type { RunLifecycle } from './control/run-lifecycle.js';
import { seesHost, type Caller } from './core/caller.js';
import type { AuditHead } from './core/audit.js';
import type { Host } from './core/host.js';
import type { RunKind } from './core/run.js';
import { snapshotsOfAll, verificationStateOf } from './core/verification-state.js';
import type { Confiner } from './execute/confinement.js';
import { roomOf } from './execute/disk.js';
import type { ExecutorPool } from './execute/executor-pool.js';
import { requireLocalRsync } from './execute/local-rsync.js';
import { DatabaseState, type BackupDisk, type GetDaemonInfoResponse } from './gen/busy/v1/daemon_service.js';
import type { Sharing } from './daemon-sharing.js';
import type { Reserve } from './store/reserve.js';
import { version } from './version.js';

export interface DaemonFacts {
  /** What the daemon was started with. */
  readonly config: Config;
  readonly maxRunning: number;
  readonly catalog: Pick<Catalog, 'hosts' | 'snapshots'>;
  readonly watch: Pick<DatabaseWatch, 'unavailableSince'>;
  readonly reserve: Pick<Reserve, 'state'>;
  readonly sharing: Pick<Sharing, 'others'>;
  readonly auditHead: () => AuditHead | null;
  readonly startedAt: Date;
  readonly endpoints: readonly string[];
  /** Where metrics are served, a URL; empty: nowhere. */
  readonly metricsAddress: () => string;
  readonly confiner: Pick<Confiner, 'state'>;
  readonly executor: ExecutorPool;
  readonly lifecycle: RunLifecycle;
}

/**
 * Collects the facts as they are now. Of hosts, and of what there is of them, only what the caller may see is told; how
 * busy the daemon is as a whole is told to all.
 */
export async function describeDaemon(facts: DaemonFacts, caller: Caller): Promise<GetDaemonInfoResponse> {
  const { config, lifecycle } = facts;
  const hosts = facts.catalog.hosts().filter(({ name }) => seesHost(caller, name));
  const isLimited = caller.hosts !== null;
  const since = facts.watch.unavailableSince;
  const counts = isLimited ? countsFor(caller, lifecycle) : lifecycle.counts();
  const audit = facts.auditHead();
  const reserve = facts.reserve.state();
  const backupdirs = [...new Set(hosts.map((host) => host.backupdir))].sort();
  const disks = await Promise.all(backupdirs.map(diskMessage));
  return {
    version: version(),
    startedAt: facts.startedAt,
    pid: process.pid,
    configFile: config.file,
    stateDir: config.stateDir,
    database: config.database.kind,
    databaseState: since === null ? DatabaseState.OK : DatabaseState.UNAVAILABLE,
    databaseUnavailableSince: since ?? undefined,
    otherDaemons: (isLimited ? [] : facts.sharing.others()).map(
      ({ hostname, pid, hostCount, hasExpired }) => ({
        hostname,
        pid,
        hostCount,
        isSilent: hasExpired,
      }),
    ),
    endpoints: [...facts.endpoints],
    hostCount: hosts.length,
    runsQueued: counts.queued,
    runsRunning: counts.running,
    maxRunning: facts.maxRunning,
    executors: facts.executor.processCount(),
    confinement: await facts.confiner.state(),
    rsyncVersion: await requireLocalRsync(new AbortController().signal).catch(() => ''),
    memoryBytes: process.memoryUsage.rss(),
    reserve: { ...reserve, releasedSince: reserve.releasedSince ?? undefined },
    disks: disks.filter((disk) => disk !== null),
    verificationsRunning: (isLimited ? countsFor(caller, lifecycle, 'verify') : lifecycle.counts('verify'))
      .running,
    auditSequence: audit?.sequence ?? 0,
    auditHash: audit?.hash ?? '',
    // Added where the call is answered.
    caller: undefined,
    metricsAddress: facts.metricsAddress(),
    ...verificationFacts(facts, hosts),
  };
}

/** Of a caller who is limited to some hosts: only their runs. */
function countsFor(
  caller: Caller,
  lifecycle: Pick<RunLifecycle, 'activeRuns'>,
  kind: RunKind = 'backup',
): { queued: number; running: number } {
  const seen = lifecycle
    .activeRuns()
    .filter(({ run }) => run.kind === kind && seesHost(caller, run.host))
    .map(({ run }) => run.state);
  const queued = seen.filter((state) => state === 'QUEUED').length;
  return { queued, running: seen.length - queued };
}

type VerificationFacts = Pick<
  GetDaemonInfoResponse,
  'oldestUnverified' | 'unverifiableSnapshots' | 'damagedSnapshots'
>;

function verificationFacts({ catalog }: DaemonFacts, hosts: readonly Host[]): VerificationFacts {
  const { oldest, unverifiable, damaged } = verificationStateOf(
    snapshotsOfAll(hosts, (host) => catalog.snapshots(host)),
  );
  return {
    oldestUnverified: oldest ?? undefined,
    unverifiableSnapshots: unverifiable,
    damagedSnapshots: damaged,
  };
}

async function diskMessage(backupdir: string): Promise<BackupDisk | null> {
  const room = await roomOf(backupdir);
  return (
    room && {
      backupdir,
      freeBytes: room.free.bytes,
      totalBytes: room.total.bytes,
      freeInodes: room.free.inodes,
      totalInodes: room.total.inodes,
      forecast: undefined,
    }
  );
}
