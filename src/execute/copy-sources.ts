/** Copies the source directories of a host into a partial snapshot: one rsync call each. */
import { dirname, join } from 'node:path';
import type { BackupEvents, BackupTask } from '../core/executor-port.js';
import { toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Clock } from '../core/ports.js';
import { isCommittable, waitingJob, type JobRecord } from '../core/run.js';
import { faultPoint } from '../fault-points.js';
import { openBackupRoom } from './backup-room.js';
import { describeJob } from './backup-words.js';
import type { Confiner } from './confinement.js';
import { replaceDamaged } from './damaged-links.js';
import { runJob, type EndedJob } from './job.js';
import type { HashAhead } from './hash-ahead.js';
import type { LinkBases } from './link-bases.js';
import { directoryOfSource } from './original-store.js';
import { ownBackups, ownSecrets } from './own-places.js';
import { ProgressMeter } from './progress.js';
import type { QuotaWatch } from './quota-watch.js';
import type { ReachedHost } from './reach.js';
import { watchFloor } from './room.js';
import type { TransferPlan } from './rsync-args.js';
import type { RsyncEvent } from './rsync-output.js';
import type { RunLogFile } from './run-log-file.js';
import { makeBelow, orUnusable } from './snapshot-dir.js';
import { bytesIn, type Measure } from './source-check.js';

/** What does not get better with the next source directory. */
const futileReasons = [
  'DISK_FULL',
  'QUOTA_EXCEEDED',
  'TOO_MANY_ENTRIES',
  'CONNECTION_LOST',
  'HOST_STALLED',
  'MASS_METADATA_CHANGE',
];

/** How often a long copy says in the log how far it is. */
const heartbeatMs = 30_000;

export interface Copying {
  readonly task: BackupTask;
  readonly events: BackupEvents;
  readonly clock: Clock;
  readonly confiner: Confiner;
  readonly log: RunLogFile;
  /** Cancels the run. */
  readonly signal: AbortSignal;
  jobs: JobRecord[];
}

/** Copies all source directories; those of jobs that fail too, as far as they go. */
export async function copySources(
  backup: Copying,
  reached: ReachedHost,
  partial: string,
  {
    bases,
    measure,
    quota,
    ahead,
  }: {
    readonly bases: LinkBases;
    readonly measure: Measure | null;
    readonly quota: QuotaWatch;
    readonly ahead: HashAhead;
  },
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
  const own = await orUnusable(task.host.backupdir, () => ownBackups(task.host.backupdir, reached));
  const secrets = await ownSecrets(task.secretPlaces, reached);
  const ended: EndedJob[] = [];
  const plans: TransferPlan[] = [];
  const floor = watchFloor(partial, task.host.minFree);
  const broken = new AbortController();
  await backup.confiner.tell((text) => log.say(text));
  const place = await openBackupRoom(task.host, dirname(partial), partial, bases);
  const context = {
    host: task.host,
    connection: reached.connection,
    directory: partial,
    clock,
    startRsync: quota.watching(backup.confiner.starter(place.room)),
    mustEnd: AbortSignal.any([floor.signal, quota.signal, broken.signal]),
    say: (text: string): void => log.say(text),
    onEvent: (number: number, event: RsyncEvent): void => {
      meter.update(number, event);
      quota.hear(number, event);
      ahead.hear(srcdirs[number - 1] ?? '/', event);
    },
  };
  const copy = async (index: number): Promise<void> => {
    const plan = await planJob(task.host, index, partial, { bases, own, secrets });
    setJob(backup, index, { ...waitingJob(index + 1, plan.source), state: 'RUNNING' });
    log.say(`job ${index + 1} of ${srcdirs.length}: ${plan.source}`);
    if (bases.paths.length > 0 && plan.linkBases.length === 0)
      log.say('no snapshot to link to has this directory, so all of it is copied');
    const omitted = plan.leftOut.filter((path) => own.includes(path));
    if (omitted.length > 0) log.say(`left out, since the backups lie there: ${omitted.join(', ')}`);
    const { hidden = [] } = plan;
    if (hidden.length > 0) log.say(`left out, since secrets of BUSY lie there: ${hidden.join(', ')}`);
    plans[index] = plan;
    const bytesBefore = task.acceptsChanges ? null : bytesIn(measure, plan.source);
    const job = await runJob({ ...context, bytesBefore }, index + 1, plan, signal);
    ended[index] = job;
    meter.jobEnded(index + 1);
    faultPoint('source is copied');
    setJob(backup, index, job.record);
    log.say(describeJob(job.record));
    isFutile ||= futileReasons.includes(job.record.error?.reason ?? '');
  };
  const waiting = outerFirst(srcdirs);
  const copied: Promise<void>[] = [];
  let isFutile = false;
  const work = async (): Promise<void> => {
    while (waiting.length > 0 && !signal.aborted && !isFutile) {
      const index = waiting.shift() ?? 0;
      // What the host sends for the outer one could put a link where the inner one is to be written.
      const outer = copied.filter((_, other) => isWithin(srcdirs[index] ?? '', srcdirs[other] ?? ''));
      copied[index] = Promise.all(outer).then(() => copy(index));
      await copied[index].catch((error: unknown) => broken.abort(toBusyError(error)));
      isFutile ||= broken.signal.aborted;
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobsAtOnce, srcdirs.length) }, work));
    broken.signal.throwIfAborted();
    if (bases.paths.length > 0 && !signal.aborted && isCommittable(backup.jobs)) {
      const copyAgain = async (index: number, plan: TransferPlan): Promise<EndedJob> => {
        // A job that came after it could have changed what stands there.
        await destinationOf(task.host, partial, plan.source);
        return runJob({ ...context, bytesBefore: null }, index + 1, plan, signal);
      };
      const snapshots = bases.paths.slice(bases.resumed.length);
      await replaceDamaged({ ...backup, partial, bases: snapshots, plans, copyAgain }, ended);
      for (const [index, { record }] of ended.entries()) setJob(backup, index, record);
    }
  } finally {
    floor.end();
    await place.close();
  }
  meter.end();
  return ended;
}

async function planJob(
  host: Host,
  index: number,
  partial: string,
  {
    bases,
    own,
    secrets,
  }: {
    readonly bases: LinkBases;
    readonly own: readonly string[];
    readonly secrets: readonly string[];
  },
): Promise<TransferPlan> {
  const { srcdirs } = host;
  const source = srcdirs[index] ?? '/';
  const below = source === '/' ? '' : source;
  const destination = await destinationOf(host, partial, source);
  return {
    source,
    destination,
    linkBases: await directoriesOf(bases.paths, source),
    leftOut: [...srcdirs.filter((other) => other !== source), ...own].filter((path) =>
      path.startsWith(`${below}/`),
    ),
    hidden: secrets.filter((path) => path.startsWith(`${below}/`)),
    snapshotBases: await directoriesOf(bases.paths.slice(bases.resumed.length), source),
    mustCompareContents: bases.mustCompareContents,
    isComparison: false,
  };
}

/** Makes it, or looks that it is still a directory. Throws as `makeBelow` does. */
function destinationOf(host: Host, partial: string, source: string): Promise<string> {
  return makeBelow(join(partial, 'data'), source, host.name);
}

/** The places of source directories in their list, changed so that one that lies in another comes after that. */
export function outerFirst(srcdirs: readonly string[]): number[] {
  const outerOf = (source = ''): number => srcdirs.filter((other) => isWithin(source, other)).length;
  return [...srcdirs.keys()].sort((a, b) => outerOf(srcdirs[a]) - outerOf(srcdirs[b]));
}

function isWithin(source: string, outer: string): boolean {
  return source !== outer && source.startsWith(outer === '/' ? '/' : `${outer}/`);
}

/** Where link bases, also those of the original BUSY, have the files of a source directory. */
async function directoriesOf(snapshots: readonly string[], source: string): Promise<string[]> {
  const found = await Promise.all(snapshots.map((path) => directoryOfSource(path, source)));
  return found.filter((directory) => directory !== null);
}

export function waitingJobs(task: BackupTask): JobRecord[] {
  return task.host.srcdirs.map((source, index) => waitingJob(index + 1, source));
}

function setJob(backup: Copying, index: number, record: JobRecord): void {
  backup.jobs = backup.jobs.with(index, record);
  backup.events.onJobs(backup.jobs);
}
