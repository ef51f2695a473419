/**
 * One backup, step by step, between the scripts of the server: choose link bases, reach the host, copy each source
 * directory into a partial directory, commit. Whatever goes wrong, committed snapshots stay as they are, and what was
 * copied helps the next backup.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BusyError, toBusyError, type Failure } from '../core/errors.js';
import type { ManifestTotals } from '../core/manifest.js';
import type { BackupEvents, BackupResult, BackupTask } from '../core/executor-port.js';
import type { Clock } from '../core/ports.js';
import { judgeEntries } from '../core/quota.js';
import { isCommittable, outcomeOfJobs, type JobRecord } from '../core/run.js';
import { addStats, noTransfer, type BackupType, type SnapshotRecord } from '../core/snapshot.js';
import { faultPoint } from '../fault-points.js';
import { claimBackupdir, type LockHolder } from './backupdir-lock.js';
import { betweenScripts, foresee } from './backup-scripts.js';
import { writeManifest } from './backup-manifest.js';
import { sayBases } from './backup-words.js';
import type { Confiner } from './confinement.js';
import { copySources, waitingJobs, type Copying } from './copy-sources.js';
import { betweenCommands } from './host-commands.js';
import { guardHostDirectory } from './host-directory-guard.js';
import type { AheadThread, HashAhead } from './hash-ahead.js';
import { heldAmongNewest, readMeasure } from './held.js';
import { forgetUse, openQuota } from './host-quota.js';
import { chooseLinkBases, type LinkBases } from './link-bases.js';
import { requireLocalRsync } from './local-rsync.js';
import { freeInodesOf, QuotaWatch } from './quota-watch.js';
import { requireRoom } from './room.js';
import { reachHost } from './reach.js';
import { copyRunLog, openRunLogFile } from './run-log-file.js';
import { checkSources } from './source-check.js';
import { discardPartials, leaveForNext } from './unfinished.js';
import { writeSnapshotJson } from './snapshot-json.js';
import * as store from './snapshot-dir.js';

/** What one backup knows while it runs. */
interface Backup extends Copying {
  /** The daemon stops: what follows a backup has a few seconds left. */
  readonly haste: AbortSignal;
  readonly startedAt: Date;
  /** Of the lock on the backup directory. */
  readonly holder: LockHolder;
  readonly hasher: AheadThread;
  type: BackupType;
  /** Where the backup is at the moment, or will be. */
  path: string;
}

/** Carries a backup out. A failure is a result, not an exception. */
export async function backUp(
  task: BackupTask,
  events: BackupEvents,
  { cancel: signal, haste }: { readonly cancel: AbortSignal; readonly haste: AbortSignal },
  {
    clock,
    holder,
    confiner,
    hasher,
  }: {
    readonly clock: Clock;
    readonly holder: LockHolder;
    readonly confiner: Confiner;
    readonly hasher: AheadThread;
  },
): Promise<BackupResult> {
  const log = openRunLogFile(task.logFile, clock, () => events.onLog());
  const startedAt = clock.now();
  const foreseen = await foresee(task, startedAt);
  const backup: Backup = {
    task,
    events,
    clock,
    holder,
    confiner,
    hasher,
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
  const { type } = await foresee(task, backup.startedAt);
  await requireRoom(backup.events, type, signal);
  await store.orUnusable(host.backupdir, () => claimBackupdir(host.backupdir, backup.holder));
  const used = await openQuota(host, { signal, say: (text) => log.say(text) });
  const before = await store.openHostStore(host.backupdir, host.name);
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const held = await heldAmongNewest(before);
  const bases = chooseLinkBases(before, task.type, { bootId, held });
  const measure = await readMeasure(before, held);
  backup.type = bases.type;
  sayBases(log, bases, task.type);
  const reached = await reachHost(host, signal);
  const unfinished: { leave?: () => Promise<void> } = {};
  const watch: { quota?: QuotaWatch; ahead?: HashAhead; kept: string | null } = { kept: null };
  try {
    log.say(`connected to ${reached.connection.address}, host key ${reached.connection.fingerprint}`);
    if (reached.isRsyncMissing) throw new BusyError('RSYNC_MISSING', { where: `host "${host.name}"` });
    const name = store.nextSnapshotName(before, backup.startedAt, bases.type);
    const mark = { runId: task.runId, type: bases.type, bootId, isFlushed: false };
    backup.path = join(before.directory, name);
    const drop = async (): Promise<void> => {
      watch.kept = null;
      delete unfinished.leave;
      await store.orUnusable(before.directory, () => store.discard(store.partialPath(before, name)));
    };
    const commands = { host, connection: reached.connection, signal, haste: backup.haste };
    const { partial, ended } = await betweenCommands(
      { ...commands, say: (text) => log.say(text) },
      async () => {
        const made = await store.createPartial(before, name, mark);
        backup.path = made;
        unfinished.leave = () => leaveForNext(made, mark, log);
        watch.kept = made;
        await forgetUse(before.directory);
        const quota = new QuotaWatch(host, used, made, await freeInodesOf(made));
        watch.quota = quota;
        const ahead = backup.hasher.begin(join(made, 'data'));
        watch.ahead = ahead;
        signal.addEventListener('abort', () => ahead.close(), { once: true });
        const lookAround = await guardHostDirectory(host.name, made);
        try {
          return {
            partial: made,
            ended: await copySources(backup, reached, made, { bases, measure, quota, ahead }),
          };
        } finally {
          await lookAround().catch(async (error: unknown) => {
            await drop().catch(() => {});
            throw error;
          });
        }
      },
    );
    const overrun = (await watch.quota?.settle()) ?? null;
    if (overrun) {
      // What can never fit must not hold its space for ever.
      await drop();
      throw overrun;
    }
    if (signal.aborted || !isCommittable(backup.jobs)) {
      // Else the next attempts would add to it bit by bit, until nothing of the change is left to be seen.
      if (isMassChanged(backup.jobs)) await drop();
      else await leaveForNext(partial, mark, log);
      return null;
    }
    const heldFor = await checkSources({
      host,
      partial,
      jobs: backup.jobs,
      measure,
      signal,
      acceptsChanges: task.acceptsChanges,
      isLinkedToMeasure: bases.snapshotNames.length > 0 && bases.resumed.length === 0,
      say: (text) => log.say(text),
    });
    // What follows may take long, and needs nothing of the host.
    reached.connection.close();
    const manifest = await writeManifest({
      ...backup,
      partial,
      store: before.directory,
      bases,
      ahead: watch.ahead ?? null,
    });
    faultPoint('manifest is written');
    if (signal.aborted) throw new BusyError('CANCELLED');
    const overfull = manifest && judgeEntries(host, manifest.entries);
    if (overfull) {
      await drop();
      throw overfull;
    }
    const made = { name, bases, path: join(before.directory, name), manifest };
    const snapshot = { ...describe(backup, made), heldFor };
    await store.orUnusable(before.directory, async () => {
      await log.flushed();
      await copyRunLog(task.logFile, join(partial, 'backup.log'));
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
    watch.kept = backup.path;
    delete unfinished.leave;
    log.say(`committed ${snapshot.path}`);
    await discardPartials(before, log);
    return snapshot;
  } catch (error) {
    // Also what only its last steps had no room for is of use to the next backup.
    await unfinished.leave?.();
    throw error;
  } finally {
    reached.connection.close();
    watch.ahead?.close();
    await watch.quota?.close(watch.kept);
  }
}

function isMassChanged(jobs: readonly JobRecord[]): boolean {
  return jobs.some(({ error }) => error?.reason === 'MASS_METADATA_CHANGE');
}

function failureOf(backup: Backup): Failure {
  if (backup.signal.aborted) return new BusyError('CANCELLED').toFailure();
  const failed = backup.jobs.find((job) => job.error !== null && job.state === 'FAILED');
  return failed?.error ?? new BusyError('INTERNAL', { what: 'a job failed without a reason' }).toFailure();
}

function describe(
  backup: Backup,
  made: { name: string; bases: LinkBases; path: string; manifest: ManifestTotals | null },
): Omit<SnapshotRecord, 'heldFor'> {
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
    manifest: made.manifest,
    verifiedAt: null,
    damagedFileCount: 0,
  };
}
