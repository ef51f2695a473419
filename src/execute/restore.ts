/**
 * A run that brings files of a snapshot back. The local rsync is the client and sends; the other side is an rsync on the
 * host, over the SSH connection of the run, or one on the server. rsync writes each file under a temporary name and
 * renames it when it is whole.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { showPath, type BytePath } from '../core/byte-path.js';
import type { ArchiveRecord } from '../core/archive.js';
import { BusyError, toBusyError } from '../core/errors.js';
import type { RestoreResult, RestoreSource, RestoreTask, RunEventsTaker } from '../core/executor-port.js';
import type { Clock } from '../core/ports.js';
import { failureOfRestore } from '../core/restore-outcome.js';
import { landing, mirrorRefusal, protectRules, type RestorePlan } from '../core/restore-plan.js';
import { readArchive } from './archive-files.js';
import type { LockHolder } from './backupdir-lock.js';
import { runClient, type TransferEnding } from './bridge.js';
import { roomFor, type Confiner } from './confinement.js';
import { Flow } from './flow.js';
import { requireLocalRsync, startFailure } from './local-rsync.js';
import { ProgressMeter } from './progress.js';
import { listOf, restoreOptions, sendArguments, type RestoreCall } from './restore-args.js';
import { lossOf, planFor, unpackForRestore } from './restore-archive.js';
import { requireEntries } from './restore-checks.js';
import { RestoreChanges, RestoreEar } from './restore-changes.js';
import { openTarget, refuseOwn, type OpenTarget } from './restore-target.js';
import { openRunLogFile, type RunLogFile } from './run-log-file.js';
import { createScratch, removeScratch } from './scratch.js';
import { watchForStall } from './stall.js';

interface Restoring {
  readonly task: RestoreTask;
  readonly events: RunEventsTaker;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly holder: LockHolder;
  readonly confiner: Confiner;
  readonly log: RunLogFile;
  readonly changes: RestoreChanges;
  /** Where it is read from, as soon as that is known. */
  readonly from: { kind: RestoreResult['from'] };
}

/** Carries a restore out. What goes wrong is a result, not an exception. */
export async function restore(
  task: RestoreTask,
  events: RunEventsTaker,
  signal: AbortSignal,
  {
    clock,
    holder,
    confiner,
  }: { readonly clock: Clock; readonly holder: LockHolder; readonly confiner: Confiner },
): Promise<RestoreResult> {
  const log = openRunLogFile(task.logFile, clock, () => events.onLog());
  const changes = new RestoreChanges(log);
  const from: Restoring['from'] = { kind: 'snapshot' };
  let error: BusyError | null = null;
  try {
    error = await restoreAll({ task, events, signal, clock, holder, confiner, log, changes, from });
  } catch (thrown) {
    error = signal.aborted ? new BusyError('RESTORE_CANCELLED') : toBusyError(thrown);
  }
  await changes.flushed();
  const { counts, count, first } = changes;
  log.say(
    `${task.wish.isDryRun ? 'it would be: ' : ''}created ${counts.created}, changed ${counts.changed}, deleted ${counts.deleted}, left as they were ${counts.skipped}; ${counts.bytes} bytes`,
  );
  await log.close();
  return { from: from.kind, counts, changes: first, changeCount: count, error: error?.toFailure() ?? null };
}

async function restoreAll(restoring: Restoring): Promise<BusyError | null> {
  const { task, signal } = restoring;
  await requireLocalRsync(signal);
  const archive = task.stored && existsSync(task.stored.path) ? null : await findArchive(task);
  if (task.stored && !archive) return restoreFrom(restoring, planFor(task.wish, task.stored), task.stored);
  if (!archive) throw notThere(task);
  restoring.from.kind = 'archive';
  const why = mirrorRefusal(task.wish, task.host, archive.snapshot);
  if (why !== null) throw new BusyError('MIRROR_REFUSED', { why });
  const scratch = await createScratch(task.host, { use: 'restore', id: task.runId }, restoring.holder);
  try {
    restoring.log.say(`unpacks ${archive.path} into ${scratch}`);
    const say = (text: string): void => restoring.log.say(text);
    const { plan, source, losses } = await unpackForRestore(task, { archive, scratch, say }, signal);
    const failure = await restoreFrom(restoring, plan, source);
    return failure ?? lossOf(losses);
  } finally {
    await removeScratch(scratch);
  }
}

async function restoreFrom(
  restoring: Restoring,
  plan: RestorePlan,
  source: RestoreSource,
): Promise<BusyError | null> {
  const { task, signal, log } = restoring;
  requireEntries(task, plan, source.path);
  const target = await openTarget(task, signal);
  try {
    const directory = task.wish.target.kind === 'original' ? '/' : task.wish.target.directory;
    if (target.isHere) {
      await refuseOwn(
        directory,
        plan.entries.map((entry) => landing(entry, plan)),
        task.own,
      );
      if (process.getuid?.() !== 0 && task.target === null)
        log.say('the daemon is not root, so owners cannot be restored');
    }
    return await send(restoring, target, plan, { directory, source });
  } finally {
    target.close();
  }
}

async function send(
  restoring: Restoring,
  target: OpenTarget,
  plan: RestorePlan,
  { directory, source }: { readonly directory: string; readonly source: RestoreSource },
): Promise<BusyError | null> {
  const { task, changes } = restoring;
  const { mode, isDryRun } = task.wish;
  const call: RestoreCall = {
    root: join(source.path, 'data'),
    destination: directory,
    entries: plan.entries,
    keepsPaths: plan.keepsPaths,
    work: mode,
    isDryRun,
    options: restoreOptions(task.host.rsyncOpts),
    version: target.version,
    protect: mode === 'mirror' ? protectRules(plan, source.sources, excludesOf(task)) : [],
    bandwidthLimit: task.target?.bandwidthLimit ?? '',
  };
  const run: Caller = (part, onMade) => runCall(restoring, target, { ...call, ...part }, onMade);
  const missing: BytePath[] = [];
  if (plan.parents.length > 0) {
    const found = await directoriesToMake(run, plan.parents);
    if (found instanceof BusyError) return found;
    missing.push(...found);
  }
  if (mode === 'never-overwrite') {
    // An old rsync would write through a symlink that stands where the snapshot has a directory.
    const failure = await refuseObstacles(run, { work: 'for obstacles below' });
    if (failure) return failure;
  }
  const parents = { entries: missing, work: 'directories' } as const;
  if (missing.length > 0) {
    for (const path of missing)
      changes.add({ kind: 'created', path: `${showPath(path).slice(1)}/`, bytes: 0 });
    if (!isDryRun) {
      const failure = await run(parents, () => {});
      if (failure) return failure;
    }
  }
  const failure = await run({});
  // What was made in them has changed their times.
  const last =
    missing.length > 0 && !isDryRun && failure?.reason !== 'RESTORE_CANCELLED'
      ? await run(parents, () => {})
      : null;
  return failure ?? last;
}

/** Makes a call of rsync that differs from the main one; with `onMade` see `runCall`. */
type Caller = (part: Partial<RestoreCall>, onMade?: (path: BytePath) => void) => Promise<BusyError | null>;

/** Those of the parents that are missing; RESTORE_BLOCKED when something else is in the place of one. */
async function directoriesToMake(run: Caller, entries: readonly BytePath[]): Promise<BytePath[] | BusyError> {
  const made = new Set<BytePath>();
  const failure = await run({ entries, work: 'for missing directories' }, (path) => made.add(path));
  if (failure) return failure;
  if (made.size === 0) return [];
  const blocked = await refuseObstacles(run, { entries, work: 'for what is in their place' });
  return blocked ?? entries.filter((parent) => made.has(parent));
}

/** RESTORE_BLOCKED when something stands where the snapshot has a directory. */
async function refuseObstacles(run: Caller, look: Partial<RestoreCall>): Promise<BusyError | null> {
  const found: BytePath[] = [];
  const failure = await run(look, (path) => found.push(path));
  if (failure || found[0] === undefined) return failure;
  return new BusyError('RESTORE_BLOCKED', { path: showPath(found[0]) });
}

/**
 * One call of rsync. Without `onMade` its changes are those of the restore; with it only the directories that were, or
 * would be, made are told. Answers why it did not end well; throws what keeps it from starting.
 */
async function runCall(
  { task, events, signal, clock, confiner, log, changes }: Restoring,
  target: OpenTarget,
  call: RestoreCall,
  onMade?: (path: BytePath) => void,
): Promise<BusyError | null> {
  if (!onMade) changes.beginCall();
  const meter = onMade
    ? null
    : new ProgressMeter(1, true, clock, (progress) => events.onProgress({ ...progress, phase: 'restore' }));
  const ear = new RestoreEar({
    onEvent: (event) => meter?.update(1, event),
    onItem: (change) => {
      if (!onMade) changes.add(change);
    },
    onMade,
    say: (text) => log.say(text),
    behind: () => changes.behind(),
  });
  const stall = watchForStall(task.target ?? { idleTimeoutMs: 0 }, signal);
  await confiner.tell((text) => log.say(text));
  let lost: string | null = null;
  let ending: TransferEnding | null = null;
  void target.closed.then((reason) => (lost = reason));
  const client = {
    name: target.name,
    args: sendArguments(call),
    input: listOf(call),
    // The host that it sends to may be hostile too.
    startRsync: confiner.starter(roomFor(task.host, { writable: null, readOnly: [call.root] })),
    open: (words: readonly string[]) => target.open(call, words),
  };
  try {
    const output = {
      onReport: ear.onReport,
      onError: ear.onError,
      onTraffic: stall.onTraffic,
      flow: new Flow(),
    };
    ending = await runClient(client, output, stall.signal);
  } catch (error) {
    if (!signal.aborted) throw startFailure(error);
  } finally {
    stall.end();
    ear.end();
    meter?.end();
  }
  if (!onMade) changes.addTotals(ear);
  return failureOfRestore(
    { host: task.target, directory: call.destination },
    {
      exitCode: ending?.client.code ?? null,
      localSignal: ending?.local.signal ?? null,
      remoteCode: ending?.remote.code ?? null,
      remoteSignal: ending?.remote.signal ?? null,
      firstProblem: ear.firstProblem,
      problemCount: ear.problemCount,
      lastWords: ear.lastWords.join('; '),
      lost,
      stalledSeconds: stall.hasStalled() ? (task.target?.idleTimeoutMs ?? 0) / 1000 : null,
      isCancelled: signal.aborted,
    },
  );
}

/** Null when there is none, or no place for archives. */
async function findArchive({ host, snapshot }: RestoreTask): Promise<ArchiveRecord | null> {
  return host.archivedir === '' ? null : readArchive(host.archivedir, { host: host.name, snapshot });
}

function notThere({ host, snapshot }: RestoreTask): BusyError {
  return new BusyError('SNAPSHOT_NOT_FOUND', { host: host.name, snapshot });
}

function excludesOf({ host }: RestoreTask): string[] {
  const added = host.rsyncOpts.flatMap((option) => /^--exclude=(.*)$/s.exec(option)?.[1] ?? []);
  return [...host.excludes, ...added];
}
