/** Looks up what the metrics are made of, and serves them where that is configured; a part of the composition root. */
import type { Config } from './config.js';
import type { Catalog } from './control/catalog.js';
import type { DatabaseWatch } from './control/database-watch.js';
import type { Driller } from './control/driller.js';
import type { RunEvents } from './control/run-events.js';
import type { RunLifecycle } from './control/run-lifecycle.js';
import type { EndedCall } from './core/ended-call.js';
import { hostAndPort } from './core/endpoint.js';
import { ageLimitOf, conditionOf } from './core/host-condition.js';
import type { Host } from './core/host.js';
import type { Clock } from './core/ports.js';
import { newestOf } from './core/snapshot.js';
import { snapshotsOfAll, verificationStateOf } from './core/verification-state.js';
import type { DaemonMail } from './daemon-mail.js';
import { roomOf } from './execute/disk.js';
import type { ExecutorPool } from './execute/executor-pool.js';
import type { Logger } from './log.js';
import type { DiskFacts, Facts, HostFacts } from './metrics/facts.js';
import { listenForMetrics, type MetricsListener } from './metrics/listener.js';
import { Metrics, metricsContentType } from './metrics/metrics.js';
import { PatientQuestion } from './metrics/patient-question.js';
import { endOfBackup } from './metrics/run-counters.js';
import { version } from './version.js';

export interface MetricsParts {
  readonly config: Pick<Config, 'metricsListen' | 'stateDir'>;
  readonly clock: Clock;
  readonly startedAt: Date;
  /** The hosts that are this daemon's. */
  readonly catalog: Pick<Catalog, 'hosts' | 'snapshots'>;
  readonly lifecycle: Pick<RunLifecycle, 'activeRuns' | 'lastRun' | 'failuresInRow'>;
  readonly driller: Pick<Driller, 'historyOf'>;
  readonly events: Pick<RunEvents, 'watch'>;
  readonly watch: Pick<DatabaseWatch, 'unavailableSince'>;
  readonly mail: Pick<DaemonMail, 'waitingCount'>;
  readonly executor: Pick<ExecutorPool, 'processCount'>;
  readonly maxRunning: () => number;
  readonly log: Logger;
}

export interface DaemonMetrics {
  readonly noteCall: (call: EndedCall) => void;
  readonly metricsText: () => Promise<string>;
  /** Serves them from now on, where that is configured. Never throws. */
  listen(): Promise<void>;
  /** Where they are served, a URL; empty: nowhere. */
  readonly metricsAddress: () => string;
  stop(): Promise<void>;
}

/** Counts runs from now on. */
export function startMetrics(parts: MetricsParts): DaemonMetrics {
  const disks = new PatientQuestion(roomOf);
  const mails = new PatientQuestion(() => parts.mail.waitingCount());
  const lookUp = async (): Promise<Facts> => {
    const [rooms, mailCount] = await Promise.all([
      disksOf(parts, disks),
      parts.watch.unavailableSince === null ? mails.about('outbox') : null,
    ]);
    return { ...factsOf(parts), disks: rooms, mailCount, hosts: hostFacts(parts, metrics) };
  };
  const metrics: Metrics = new Metrics(lookUp);
  const stopping = new AbortController();
  metrics.start();
  void countRuns(parts.events, metrics, stopping.signal);
  const metricsText = (): Promise<string> => metrics.text();
  let listener: MetricsListener | null = null;
  return {
    noteCall: (call) => metrics.noteCall(call),
    metricsText,
    listen: async () => {
      listener = await serve(parts, metricsText);
    },
    metricsAddress: () => listener?.url ?? '',
    stop: async () => {
      stopping.abort();
      metrics.stop();
      await listener?.stop();
    },
  };
}

async function serve(
  { config: { metricsListen: address }, log }: MetricsParts,
  text: () => Promise<string>,
): Promise<MetricsListener | null> {
  if (address === null) return null;
  const onError = (message: string, error: unknown): void => void log.error(message, { error });
  try {
    return await listenForMetrics(address, { contentType: metricsContentType, text, onError });
  } catch (error) {
    // Backups are more than what is told of them.
    const at = hostAndPort(address);
    log.error('metrics are not served: metrics_listen cannot be opened', { address: at, error });
    return null;
  }
}

async function countRuns(
  events: MetricsParts['events'],
  metrics: Metrics,
  signal: AbortSignal,
): Promise<void> {
  for await (const { run } of events.watch({ afterRevision: 0, host: null, runId: null }, signal))
    metrics.noteRun(run);
}

function factsOf(parts: MetricsParts): Omit<Facts, 'disks' | 'mailCount' | 'hosts'> {
  const { catalog, lifecycle, executor, watch } = parts;
  return {
    version: version(),
    startedAt: parts.startedAt,
    runs: lifecycle.activeRuns().map(({ run: { kind, state }, progress }) => {
      return { kind, state, bytesPerSecond: progress?.bytesPerSecond ?? 0 };
    }),
    maxRunning: parts.maxRunning(),
    executors: executor.processCount(),
    isDatabaseUp: watch.unavailableSince === null,
    verification: verificationStateOf(snapshotsOfAll(catalog.hosts(), (host) => catalog.snapshots(host))),
  };
}

function hostFacts({ catalog, lifecycle, driller, clock }: MetricsParts, metrics: Metrics): HostFacts[] {
  const now = clock.now();
  return catalog.hosts().map((host) => {
    const { name } = host;
    const snapshots = catalog.snapshots(name);
    const lastRun = lifecycle.lastRun(name);
    const failuresInRow = lifecycle.failuresInRow(name);
    return {
      name,
      condition: conditionOf({ host, snapshots, lastRun, failuresInRow, now }).condition,
      failuresInRow,
      snapshotCount: snapshots.length,
      newest: newestOf(snapshots).good ?? null,
      ageLimitDays: ageLimitOf(host).days,
      // The last one may be under way; then the one before counts.
      lastBackup: (lastRun && endOfBackup(lastRun)) ?? metrics.lastBackup(name),
      restoreProvenAt: driller.historyOf(name).proof?.endedAt ?? null,
    };
  });
}

async function disksOf(
  { catalog, config }: MetricsParts,
  disks: PatientQuestion<DiskFacts['room']>,
): Promise<DiskFacts[]> {
  const places = [
    ...distinct(catalog.hosts(), ({ backupdir }) => [backupdir]).map(
      (directory) => ['backup', directory] as const,
    ),
    ...distinct(catalog.hosts(), ({ archivedir, archive }) => [archivedir, archive.copyTo]).map(
      (directory) => ['archive', directory] as const,
    ),
    ['state', config.stateDir] as const,
  ];
  const facts = places.map(async ([use, directory]) => {
    const room = await disks.about(directory);
    return room && { use, directory, room };
  });
  return (await Promise.all(facts)).filter((disk) => disk !== null);
}

function distinct(hosts: readonly Host[], directoriesOf: (host: Host) => string[]): string[] {
  return [...new Set(hosts.flatMap(directoriesOf))].filter((directory) => directory !== '').sort();
}
