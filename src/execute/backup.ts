/**
 * One backup, step by step, between the scripts of the server: choose link bases, reach the host, copy each source
 * directory into a partial directory, commit. Whatever goes wrong, committed snapshots stay as they are, and what was
 * copied helps the next backup.
 */
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BusyError, toBusyError, type Failure } from '../core/errors.js';
import type { BackupEvents, BackupResult, BackupTask, Clock } from '../core/ports.js';
import { isCommittable, outcomeOfJobs, type JobRecord } from '../core/run.js';
import { addStats, noTransfer, type BackupType, type SnapshotRecord } from '../core/snapshot.js';
import { faultPoint } from '../fault-points.js';
import { claimBackupdir } from './backupdir-lock.js';
import { betweenScripts, foresee } from './backup-scripts.js';
import { describeJob, sayBases } from './backup-words.js';
import { betweenCommands } from './host-commands.js';
import { runJob, type EndedJob } from './job.js';
import { chooseLinkBases, type LinkBases } from './link-bases.js';
import { requireLocalRsync } from './local-rsync.js';
import { ProgressMeter } from './progress.js';
import { reachHost, type ReachedHost } from './reach.js';
import type { TransferPlan } from './rsync-args.js';
import { openRunLogFile, type RunLogFile } from './run-log-file.js';
import { writeSnapshotJson } from './snapshot-json.js';
import * as store from './snapshot-dir.js';

/** How long an ending backup may take to flush what it leaves for the next one. */
const flushMs = 1500;

/** How often a long copy says in the log how far it is. */
const heartbeatMs = 30_000;

/** The owner of the locks; read now, since another process takes over the children of one that has died. */
const daemonPid = process.ppid;

/** What one backup knows while it runs. */
interface Backup {
  readonly task: BackupTask;
  readonly events: BackupEvents;
  readonly clock: Clock;
  readonly log: RunLogFile;
  /** Cancels the run. */
  readonly signal: AbortSignal;
  /** The daemon stops: what follows a backup has a few seconds left. */
  readonly haste: AbortSignal;
  readonly startedAt: Date;
  jobs: JobRecord[];
  type: BackupType;
  /** Where the backup is at the moment, or will be. */
  path: string;
}

/** Carries a backup out. A failure is a result, not an exception. */
export async function backUp(
  task: BackupTask,
  events: BackupEvents,
  { cancel: signal, haste }: { readonly cancel: AbortSignal; readonly haste: AbortSignal },
  clock: Clock,
): Promise<BackupResult> {
  const log = openRunLogFile(task.logFile, clock, () => events.onLog());
  const startedAt = clock.now();
  const foreseen = await foresee(task, startedAt);
  const backup: Backup = {
    task,
    events,
    clock,
    log,
    signal,
    haste,
    startedAt,
    jobs: waitingJobs(task),
    ...foreseen,
  };
  try {
    const snapshot = await betweenScripts(
      { task, signal, haste, say: (text) => log.say(text) },
      () => backup,
      events,
      () => makeSnapshot(backup),
    );
    const error = snapshot ? null : failureOf(backup);
    return { jobs: backup.jobs, type: backup.type, snapshot, error };
  } catch (error) {
    const failure = signal.aborted ? new BusyError('CANCELLED', {}, { cause: error }) : toBusyError(error);
    return { jobs: backup.jobs, type: backup.type, snapshot: null, error: failure.toFailure() };
  } finally {
    await log.close();
  }
}

/** Answers the committed snapshot, or null when a job has failed. */
async function makeSnapshot(backup: Backup): Promise<SnapshotRecord | null> {
  const { task, signal, log } = backup;
  const { host } = task;
  const rsyncOnServer = await requireLocalRsync(signal);
  // Only now: pre-backup may have mounted the disk.
  if (signal.aborted) throw new BusyError('CANCELLED');
  await store.orUnusable(host.backupdir, () => claimBackupdir(host.backupdir, daemonPid));
  const before = await store.openHostStore(host.backupdir, host.name);
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const bases = chooseLinkBases(before, task.type, bootId);
  backup.type = bases.type;
  sayBases(log, bases, task.type);
  const reached = await reachHost(host, signal);
  try {
    log.say(`connected to ${reached.connection.address}, host key ${reached.connection.fingerprint}`);
    if (reached.isRsyncMissing) throw new BusyError('RSYNC_MISSING', { where: `host "${host.name}"` });
    const name = store.nextSnapshotName(before, backup.startedAt, bases.type);
    const mark = { runId: task.runId, type: bases.type, bootId, isFlushed: false };
    backup.path = join(before.directory, name);
    const commands = { host, connection: reached.connection, signal, haste: backup.haste };
    const { partial, ended } = await betweenCommands(
      { ...commands, say: (text) => log.say(text) },
      async () => {
        const made = await store.createPartial(before, name, mark);
        backup.path = made;
        return { partial: made, ended: await copySources(backup, reached, made, bases) };
      },
    );
    if (signal.aborted || !isCommittable(backup.jobs)) {
      await leaveForNext(partial, mark, log);
      return null;
    }
    const snapshot = describe(backup, { name, bases, path: join(before.directory, name) });
    await store.orUnusable(before.directory, async () => {
      await log.flushed();
      await copyFile(task.logFile, join(partial, 'backup.log'));
      faultPoint('log is kept');
      await writeSnapshotJson(partial, {
        snapshot,
        jobs: backup.jobs,
        missingFiles: ended.map((job) => job.missingFiles),
        initiator: host.initiator,
        address: reached.connection.address,
        rsyncOnServer,
        rsyncOnHost: reached.rsyncVersion,
      });
    });
    faultPoint('snapshot is described');
    backup.path = await store.commitPartial(partial, name, signal);
    log.say(`committed ${snapshot.path}`);
    await discardPartials(before, log);
    return snapshot;
  } finally {
    reached.connection.close();
  }
}

/** Copies all source directories; those of jobs that fail too, as far as they go. */
async function copySources(
  backup: Backup,
  reached: ReachedHost,
  partial: string,
  bases: LinkBases,
): Promise<EndedJob[]> {
  const { task, signal, log, clock, events } = backup;
  const { srcdirs, jobsAtOnce } = task.host;
  let saidAt = clock.now().getTime();
  const meter = new ProgressMeter(srcdirs.length, bases.paths.length > 0, clock, (progress) => {
    events.onProgress(progress);
    if (clock.now().getTime() - saidAt < heartbeatMs) return;
    saidAt = clock.now().getTime();
    log.say(`still copying: ${progress.percent} %, ${progress.bytesDone} bytes, now ${progress.currentFile}`);
  });
  const ended: EndedJob[] = [];
  let next = 0;
  let isFutile = false;
  const work = async (): Promise<void> => {
    while (next < srcdirs.length && !signal.aborted && !isFutile) {
      const index = next++;
      const plan = await planJob(srcdirs, index, partial, bases);
      setJob(backup, index, { ...waitingJob(index + 1, plan.source), state: 'RUNNING' });
      log.say(`job ${index + 1} of ${srcdirs.length}: ${plan.source}`);
      const context = {
        host: task.host,
        connection: reached.connection,
        directory: partial,
        clock,
        say: (text: string): void => log.say(text),
        onEvent: meter.update.bind(meter),
      };
      const job = await runJob(context, index + 1, plan, signal);
      ended[index] = job;
      meter.jobEnded(index + 1);
      faultPoint('source is copied');
      setJob(backup, index, job.record);
      log.say(describeJob(job.record));
      // Neither a full disk nor a lost connection gets better with the next directory.
      isFutile ||= ['DISK_FULL', 'CONNECTION_LOST', 'HOST_STALLED'].includes(job.record.error?.reason ?? '');
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobsAtOnce, srcdirs.length) }, work));
  meter.end();
  return ended;
}

async function planJob(
  srcdirs: readonly string[],
  index: number,
  partial: string,
  bases: LinkBases,
): Promise<TransferPlan> {
  const source = srcdirs[index] ?? '/';
  const below = source === '/' ? '' : source;
  const destination = join(partial, 'data', below);
  await store.orUnusable(partial, () => mkdir(destination, { recursive: true }));
  return {
    source,
    destination,
    linkBases: bases.paths.map((path) => join(path, 'data', below)),
    nestedSources: srcdirs.filter((other) => other !== source && other.startsWith(`${below}/`)),
    mustCompareContents: bases.mustCompareContents,
  };
}

/** Flushes what an unfinished backup leaves, so that the next one may trust it also after a restart of the machine. */
async function leaveForNext(partial: string, mark: store.PartialMark, log: RunLogFile): Promise<void> {
  const flushed = store
    .flushPartial(partial, mark, AbortSignal.timeout(flushMs))
    .catch((error: unknown) => log.say(`could not flush ${partial}: ${toBusyError(error).message}`));
  // A disk with much to write keeps even a killed `sync` from ending; a cancel must not wait for it.
  await Promise.race([flushed, delay(2 * flushMs, undefined, { ref: false })]);
}

/**
 * After a commit nothing of earlier, unfinished backups is needed: they leave the listing now; the daemon frees their
 * space when the run has ended.
 */
async function discardPartials(before: store.HostStore, log: RunLogFile): Promise<void> {
  for (const { path } of before.partials) {
    await store
      .discard(path)
      .catch((error: unknown) => log.say(`could not remove ${path}: ${toBusyError(error).message}`));
  }
}

function failureOf(backup: Backup): Failure {
  if (backup.signal.aborted) return new BusyError('CANCELLED').toFailure();
  const failed = backup.jobs.find((job) => job.error !== null && job.state === 'FAILED');
  return failed?.error ?? new BusyError('INTERNAL', { what: 'a job failed without a reason' }).toFailure();
}

function describe(backup: Backup, made: { name: string; bases: LinkBases; path: string }): SnapshotRecord {
  const { jobs, task, clock } = backup;
  return {
    host: task.host.name,
    name: made.name,
    type: made.bases.type,
    outcome: outcomeOfJobs(jobs),
    path: made.path,
    startedAt: backup.startedAt,
    committedAt: clock.now(),
    runId: task.runId,
    linkBases: made.bases.snapshotNames,
    sources: task.host.srcdirs,
    stats: jobs.reduce((sum, job) => addStats(sum, job.stats ?? noTransfer), noTransfer),
    missingFileCount: jobs.reduce((sum, job) => sum + job.missingFileCount, 0),
  };
}

function waitingJobs(task: BackupTask): JobRecord[] {
  return task.host.srcdirs.map((source, index) => waitingJob(index + 1, source));
}

function waitingJob(number: number, source: string): JobRecord {
  return {
    number,
    source,
    state: 'WAITING',
    error: null,
    exitCode: null,
    stats: null,
    missingFiles: [],
    missingFileCount: 0,
  };
}

function setJob(backup: Backup, index: number, record: JobRecord): void {
  backup.jobs = backup.jobs.with(index, record);
  backup.events.onJobs(backup.jobs);
}
