/**
 * The composition root: builds every part, starts them in order, and stops them in reverse. Order of the start:
 * lock, database, recovery, queue, endpoints; so a client never sees a run of a dead daemon as running.
 */
import { mkdir } from 'node:fs/promises';
import type { Config } from './config.js';
import { Catalog } from './control/catalog.js';
import { Downloads } from './control/downloads.js';
import { HostRegistry } from './control/host-registry.js';
import { LogGrowth, streamLog, type LogRequest } from './control/log-stream.js';
import { Pruner } from './control/pruner.js';
import { recover } from './control/recovery.js';
import { RunEvents } from './control/run-events.js';
import { RunLifecycle } from './control/run-lifecycle.js';
import { readersBelow } from './control/run-stops.js';
import { Scheduler } from './control/scheduler.js';
import type { Host } from './core/host.js';
import type { Presence } from './core/presence.js';
import type { RunRecord } from './core/run.js';
import { Confiner } from './execute/confinement.js';
import { DiskNames } from './execute/disk.js';
import { createFileReader } from './execute/download.js';
import { ExecutorPool } from './execute/executor-pool.js';
import { NameLookup } from './execute/name-lookup.js';
import { HostPresence } from './execute/presence.js';
import { discardScratch } from './execute/scratch.js';
import { createSnapshotDisk } from './execute/snapshot-removal.js';
import type { Logger } from './log.js';
import { createRpcServer } from './rpc/server.js';
import { openRunLogs } from './store/run-log.js';
import { openPins } from './store/pins.js';
import { Reserve } from './store/reserve.js';
import { lockStateDir } from './store/state-lock.js';
import { createArchiving } from './daemon-archives.js';
import { createAccess } from './daemon-access.js';
import { startAudit } from './daemon-audit.js';
import { OwnBackupdirs } from './daemon-backupdirs.js';
import { heedDatabase, openDaemonDatabase } from './daemon-database.js';
import { descriptorFile, executorEntry, findCommitted, limitsOf, ownPlaces } from './daemon-places.js';
import { createReload, firstHosts, hostSourceOf, type ReloadResult } from './daemon-hosts.js';
import { createBrowser } from './daemon-browse.js';
import { createEnrollment, createServerCheck } from './daemon-enrollment.js';
import { startMail } from './daemon-mail.js';
import { createChores } from './daemon-chores.js';
import { describeDaemon } from './daemon-info.js';
import { startMetrics } from './daemon-metrics.js';
import { startRunCleaning } from './daemon-runs.js';
import { createSharing, getLoggedHere, ownPart } from './daemon-sharing.js';
import { createSpace } from './daemon-space.js';
import { warnOfStrays } from './daemon-strays.js';
import { createTrash } from './daemon-trash.js';
import { version } from './version.js';

export interface Daemon {
  /**
   * Reads the configuration again and takes it over as a whole: hosts, schedules, limits. Runs that are under way keep
   * the settings they started with. Throws CONFIG_INVALID; the old configuration then goes on.
   */
  reload(): Promise<ReloadResult>;
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
    // Before all that needs space.
    const reserve = new Reserve({ stateDir: config.stateDir, bytes: config.reserveBytes, clock, log });
    closers.push(await lockStateDir(config.stateDir));
    reserve.start();
    closers.push(() => reserve.stop());
    const makeRoom = reserve.release;
    const records = await openDaemonDatabase(config, { clock, log, makeRoom });
    closers.push(() => records.close());
    const { database, watch, hosts: store } = records;
    const pins = await openPins(config.stateDir);
    const hosts = await firstHosts(config, { store, pins, log });
    const parts = {
      clock,
      runs: records.runs,
      logs: await openRunLogs(config.stateDir, clock, makeRoom),
      catalog: new Catalog(hosts, records.snapshots),
      growth: new LogGrowth(),
      confiner: new Confiner(config.confine),
      findCommitted,
    };
    const backupdirs = new OwnBackupdirs(parts.catalog);
    const events = new RunEvents(parts.runs, clock);
    const disks = new DiskNames();
    const sharing = createSharing(records.shared, { ...parts, events, disks, log });
    const { hold, holder } = sharing;
    closers.push(async () => {
      if (await sharing.leave()) await backupdirs.release(holder);
    });
    await backupdirs.claim(config.scripts, holder, log);
    await sharing.settleIn();
    await events.start();
    await parts.catalog.load();
    for (const run of await recover({ ...parts, nextRevision: () => events.nextRevision() })) {
      log.warn('a run was left by a daemon that died', { run: run.id, host: run.host, state: run.state });
    }
    const mail = await startMail({ ...parts, config, database, events, hold, log });
    closers.push((giveUp) => mail.stop(giveUp));
    const executor = new ExecutorPool(executorEntry, config, holder, (pid, ending) => {
      log.error('an executor process died', { pid, ending });
    });
    closers.push(() => executor.stop());
    const diskOfHost = ({ backupdir }: Host): Promise<string> => disks.nameOf(backupdir);
    const presence = new HostPresence(new NameLookup());
    closers.push(async () => presence.close());
    const lookFor = (host: Host): Promise<Presence> => presence.lookFor(host);
    const onError = (message: string, error: unknown): void => void log.error(message, { error });
    let { maxRunning, scripts, keepRunsDays, trashDays } = config;
    const auditing = await startAudit({ ...parts, stateDir: config.stateDir, makeRoom, onError });
    const { audit } = auditing;
    const snapshotDisk = createSnapshotDisk(holder);
    const { space, spaceReporter } = createSpace({
      ...parts,
      executor,
      snapshotDisk,
      diskOf: diskOfHost,
      pruner: () => pruner,
      lifecycle: () => lifecycle,
      onError,
    });
    const archiving = createArchiving({
      ...parts,
      database,
      snapshotDisk,
      audit,
      pruner: () => pruner,
      lifecycle: () => lifecycle,
    });
    const browser = createBrowser({ ...parts, hold });
    const downloads = new Downloads({ ...parts, browser, hold, readFiles: createFileReader(holder) });
    const lifecycle: RunLifecycle = new RunLifecycle({
      ...parts,
      archiving,
      browser,
      hold,
      space,
      scripts: () => scripts,
      executor,
      events,
      limits: limitsOf(config),
      onError,
      diskOf: diskOfHost,
      lookFor,
      ...ownPlaces(config, parts.catalog),
      quietDisk: async (host, hasNewSnapshot) => {
        await lifecycle.endAll('post-backup', readersBelow(parts.catalog.hosts(), host.backupdir));
        await browser.endBelow(host.backupdir);
        await downloads.endBelow(host.backupdir);
        await pruner.quietDisk(host, hasNewSnapshot);
      },
    });
    const pruner = new Pruner({ ...parts, lifecycle, events, hold, disk: snapshotDisk, audit, log });
    const ours = ownPart(parts.catalog, hold);
    const chores = createChores({
      ...parts,
      catalog: ours,
      stateDir: config.stateDir,
      archiving,
      lifecycle,
      events,
      disk: snapshotDisk,
      onError,
    });
    const metrics = startMetrics({
      ...parts,
      ...chores,
      catalog: ours,
      config,
      startedAt,
      lifecycle,
      events,
      watch,
      mail,
      executor,
      maxRunning: () => maxRunning,
      log,
    });
    closers.push(() => metrics.stop());
    await discardScratch(ours.hosts(), holder);
    await lifecycle.start();
    closers.push((giveUp) => {
      if (giveUp.aborted) executor.hurry();
      else giveUp.addEventListener('abort', () => executor.hurry(), { once: true });
      return lifecycle.stop(giveUp);
    });
    const scheduler = new Scheduler({ ...parts, catalog: ours, lifecycle, lookFor, onError });
    const getRun = (id: string): Promise<RunRecord> => getLoggedHere(lifecycle, hold, id);
    const sources = { logs: parts.logs, growth: parts.growth, getRun };
    const onChange = (): void => {
      backupdirs.note();
      void scheduler.look();
    };
    const registry = new HostRegistry(
      { ...parts, store, lifecycle, hold, onChange },
      hostSourceOf(config, pins),
    );
    const deleting = createTrash({
      ...parts,
      store,
      registry,
      lifecycle,
      pruner,
      hold,
      holder,
      snapshotDisk,
      trashDays: () => trashDays,
      archiving,
      audit,
      log,
    });
    const apply = (next: Config): void => {
      ({ maxRunning, scripts, keepRunsDays, trashDays } = next);
      lifecycle.setLimits(limitsOf(next));
      accessControl.apply(next);
      server.lookAgain().catch((error: unknown) => onError('the tokens could not be read', error));
    };
    const reload = createReload({ ...parts, config, registry, store, pins, apply, log });
    let endpoints: string[] = [];
    const accessControl = createAccess(config, { store: records.tokens, clock, log });
    const server = await createRpcServer({
      ...parts,
      ...accessControl,
      lifecycle,
      scheduler,
      registry,
      enrollment: createEnrollment({ ...parts, registry, executor }),
      checkServer: createServerCheck({ ...parts, config, watch, database, holder }),
      reload,
      pruner,
      ...deleting,
      ...auditing,
      ...metrics,
      space,
      archives: archiving.archives,
      spaceReporter,
      browser,
      ...chores,
      downloads,
      executor,
      log,
      events,
      sendTestMail: (to) => mail.sendTestMail(to),
      streamLog: (request: LogRequest, signal: AbortSignal) => streamLog(sources, request, signal),
      daemonInfo: (caller) => {
        const now = { config, watch, sharing, reserve, maxRunning, startedAt, endpoints, executor };
        return describeDaemon({ ...parts, ...auditing, ...metrics, ...now, lifecycle }, caller);
      },
      descriptorFile,
    });
    heedDatabase(watch, { lifecycle, scheduler, setHealthy: (isHealthy) => server.setHealthy(isHealthy) });
    sharing.keep({
      lifecycle,
      learnMail: (changed) => mail.learn(changed),
      mayGoOn: (ms) => executor.mayGoOn(ms),
      look: () => void scheduler.look(),
      mayBegin: () => watch.unavailableSince === null,
    });
    endpoints = await server.listen(config.listen);
    closers.push(() => server.stop());
    await metrics.listen();
    scheduler.start();
    closers.push(() => scheduler.stop());
    closers.push(...(await chores.start()));
    pruner.start();
    closers.push((giveUp) => pruner.stop(giveUp));
    deleting.trash.start();
    closers.push((giveUp) => deleting.trash.stop(giveUp));
    closers.push(startRunCleaning({ ...parts, ...records, hold, keepRunsDays: () => keepRunsDays, onError }));
    void warnOfStrays({ ...parts, hold, lifecycle, log });
    log.info('ready', { version: version(), endpoints: endpoints.join(' '), hosts: hosts.length });
    return { reload, stop };
  } catch (error) {
    await stop(AbortSignal.abort());
    throw error;
  }
}
