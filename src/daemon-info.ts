/** What GetDaemonInfo answers: the daemon's facts, collected from its parts. */
import type { Config } from './config.js';
import type { Catalog } from './control/catalog.js';
import type { DatabaseWatch } from './control/database-watch.js';
import type { RunLifecycle } from './control/run-lifecycle.js';
import type { AuditHead } from './core/audit.js';
import { snapshotsOfAll, verificationStateOf } from './core/verification-state.js';
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
  readonly executor: ExecutorPool;
  readonly lifecycle: RunLifecycle;
}

/** Collects the facts as they are now. */
export async function describeDaemon(facts: DaemonFacts): Promise<GetDaemonInfoResponse> {
  const { config, lifecycle } = facts;
  const hosts = facts.catalog.hosts();
  const since = facts.watch.unavailableSince;
  const counts = lifecycle.counts();
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
    otherDaemons: facts.sharing.others().map(({ hostname, pid, hostCount, hasExpired }) => ({
      hostname,
      pid,
      hostCount,
      isSilent: hasExpired,
    })),
    endpoints: [...facts.endpoints],
    hostCount: hosts.length,
    runsQueued: counts.queued,
    runsRunning: counts.running,
    maxRunning: facts.maxRunning,
    executors: facts.executor.processCount(),
    rsyncVersion: await requireLocalRsync(new AbortController().signal).catch(() => ''),
    memoryBytes: process.memoryUsage.rss(),
    reserve: { ...reserve, releasedSince: reserve.releasedSince ?? undefined },
    disks: disks.filter((disk) => disk !== null),
    verificationsRunning: lifecycle.counts('verify').running,
    auditSequence: audit?.sequence ?? 0,
    auditHash: audit?.hash ?? '',
    metricsAddress: facts.metricsAddress(),
    ...verificationFacts(facts),
  };
}

type VerificationFacts = Pick<
  GetDaemonInfoResponse,
  'oldestUnverified' | 'unverifiableSnapshots' | 'damagedSnapshots'
>;

function verificationFacts({ catalog }: DaemonFacts): VerificationFacts {
  const { oldest, unverifiable, damaged } = verificationStateOf(
    snapshotsOfAll(catalog.hosts(), (host) => catalog.snapshots(host)),
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
    }
  );
}
