/**
 * One restore drill: restores a sample and named paths of a snapshot, or of its archive, into a scratch directory,
 * compares all of it with the manifest, and lets a command of the administrator look at it.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArchiveRecord } from '../core/archive.js';
import { bytesOf, showPath } from '../core/byte-path.js';
import { failureOfDrill, type DrillRecord } from '../core/drill.js';
import { BusyError, toBusyError, type Failure } from '../core/errors.js';
import { counted, formatBytes, formatCount } from '../core/figures.js';
import { isOutOfSpace } from '../core/job-outcome.js';
import type { DrillResult, DrillTask, RunEventsTaker } from '../core/executor-port.js';
import type { Clock } from '../core/ports.js';
import type { RunPhase } from '../core/run.js';
import type { FoundDifference } from '../core/verification.js';
import { freeFor } from '../core/space.js';
import { besideTarball, readArchive } from './archive-files.js';
import type { Losses } from './archive-extraction.js';
import { unpackArchive } from './archive-unpack.js';
import type { LockHolder } from './backupdir-lock.js';
import { describeEnd, isSuccess, limitBefore } from './command-end.js';
import { CommandOutput } from './command-output.js';
import { roomOf } from './disk.js';
import { DiskMeter } from './disk-meter.js';
import { workOnDisk, type DiskThreadOptions } from './disk-thread.js';
import { restoreForDrill } from './drill-restore.js';
import { manifestName } from './manifest-format.js';
import { openRunLogFile, type RunLogFile } from './run-log-file.js';
import { createScratch, removeScratch } from './scratch.js';
import { callScript } from './server-script.js';
import { readSnapshotJson } from './snapshot-json.js';

interface DrillContext {
  readonly task: DrillTask;
  readonly events: RunEventsTaker;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: RunLogFile;
}

/** Carries a drill out. What goes wrong is a result, not an exception. */
export async function drill(
  task: DrillTask,
  events: RunEventsTaker,
  signal: AbortSignal,
  { clock, holder }: { readonly clock: Clock; readonly holder: LockHolder },
): Promise<DrillResult> {
  const log = openRunLogFile(task.logFile, clock, () => events.onLog());
  const found: { record: DrillRecord } = { record: task.drill };
  const { host, snapshot } = task;
  try {
    const scratch = await createScratch(host, { use: 'drill', id: task.runId }, holder);
    try {
      await drillIn({ task, events, signal, clock, log }, scratch, found);
    } finally {
      // Also after a cancel: what was restored must not stay.
      await removeScratch(scratch);
    }
    const failure = failureOfDrill(host.name, snapshot.name, found.record);
    return { drill: found.record, error: failure?.toFailure() ?? null };
  } catch (error) {
    return { drill: found.record, error: await failureFor(task, signal, error) };
  } finally {
    await log.close();
  }
}

async function drillIn(
  context: DrillContext,
  scratch: string,
  found: { record: DrillRecord },
): Promise<void> {
  const { task, signal, clock, log } = context;
  const { host, snapshot } = task;
  const archive = await archiveOf(task);
  const asked = { ...task.drill, isFromArchive: archive !== null };
  found.record = asked;
  const namesFile = join(scratch, 'names');
  const { name } = snapshot;
  const named = host.drillPaths.map(bytesOf);
  const data = archive ? null : join(snapshot.path, 'data');
  const manifest = archive ? besideTarball(archive.path).manifest : join(snapshot.path, manifestName);
  const selection = { manifest, data, seed: asked.seed, sampleSize: host.drillSample, named, namesFile };
  const { entries, bytes, absent, members, parents } = await workOnDisk(
    'drill selection',
    selection,
    quietly(context),
  );
  log.say(
    `restores ${formatCount(entries)} entries, at most ${formatBytes(bytes)}, with the seed ${asked.seed}`,
  );
  await refuseWithoutRoom(task, bytes);
  const startedAt = clock.now().getTime();
  const restored = await withMeter(context, 'restore', { entries, bytes }, async (meter) => {
    if (archive) {
      const say = (text: string): void => log.say(text);
      const unpacking = { archive, scratch, entries: members, parents, minFree: host.minFree, say };
      const { directory, losses } = await unpackArchive(unpacking, signal);
      refuseLosses(task, losses);
      meter.add({ entries, bytes, current: '' });
      return join(directory, archive.manifestRoot === 'data' ? 'data' : '');
    }
    const target = join(scratch, 'data');
    await mkdir(target);
    await restoreForDrill(
      { ...context, source: join(snapshot.path, 'data'), namesFile, restored: target },
      meter,
    );
    return target;
  });
  const restoreMs = Math.max(1, clock.now().getTime() - startedAt);
  const compared = await withMeter(context, 'drill', { entries, bytes }, (meter) =>
    workOnDisk(
      'drill comparison',
      { manifest, snapshot: name, namesFile, restored },
      { ...quietly(context), onProgress: (done) => meter.add(done) },
    ),
  );
  const absences = absent.map((path): FoundDifference => {
    const detail = 'drill_paths names it, but it is not in the snapshot';
    return { snapshot: name, kind: 'missing', path: showPath(path), detail };
  });
  for (const { path, detail } of absences) log.say(`missing: ${path}: ${detail}`);
  found.record = {
    ...asked,
    ...compared,
    restoreMs,
    differences: [...absences, ...compared.differences],
    differenceCount: absences.length + compared.differenceCount,
  };
  const rate = formatBytes(Math.round((compared.bytes * 1000) / restoreMs));
  log.say(
    `restored ${counted(compared.files, 'file')} (${formatBytes(compared.bytes)}) at ${rate}/s: ` +
      counted(found.record.differenceCount, 'difference'),
  );
  found.record = { ...found.record, ...(await callCommand(context, restored)) };
  if (signal.aborted) throw new BusyError('CANCELLED');
}

/** Of attributes and ACLs a manifest does not tell, so the comparison would not find it. Throws DRILL_BROKEN. */
function refuseLosses({ host, snapshot }: DrillTask, { count, first }: Losses): void {
  if (count === 0) return;
  const detail = `${counted(count, 'thing')} of the archive could not be given back: ${first}`;
  throw new BusyError('DRILL_BROKEN', { host: host.name, snapshot: snapshot.name, detail });
}

/** Null when the snapshot itself is there. Throws SNAPSHOT_NOT_FOUND. */
async function archiveOf({ host, snapshot, isArchived }: DrillTask): Promise<ArchiveRecord | null> {
  if (!isArchived) return null;
  const facts = { host: host.name, snapshot: snapshot.name };
  const archive = host.archivedir === '' ? null : await readArchive(host.archivedir, facts);
  if (!archive) throw new BusyError('SNAPSHOT_NOT_FOUND', facts);
  return archive;
}

function quietly({ signal, log }: DrillContext): DiskThreadOptions {
  return { signal, isIdle: true, say: (text) => log.say(text), onProgress: () => {} };
}

async function withMeter<T>(
  { clock, events }: DrillContext,
  phase: RunPhase,
  total: { readonly entries: number; readonly bytes: number },
  work: (meter: DiskMeter) => Promise<T>,
): Promise<T> {
  const meter = new DiskMeter(phase, { ...total, jobs: 0 }, clock, (progress) => events.onProgress(progress));
  const done = await work(meter);
  meter.end();
  return done;
}

/** A drill must never be what fills the disk of the backups. Throws DRILL_NO_ROOM. */
async function refuseWithoutRoom({ host }: DrillTask, bytes: number): Promise<void> {
  const room = await roomOf(host.backupdir);
  if (!room) return;
  const free = freeFor(room, host.minFree);
  if (bytes <= free) return;
  throw new BusyError('DRILL_NO_ROOM', {
    host: host.name,
    backupdir: host.backupdir,
    needed: formatBytes(bytes),
    free: formatBytes(Math.max(0, free)),
  });
}

async function callCommand(
  { task, signal, log }: DrillContext,
  directory: string,
): Promise<Pick<DrillRecord, 'commandEnd' | 'hasCommandPassed'>> {
  const { host, snapshot, runId } = task;
  const [file, ...args] = host.drillCommand;
  if (file === undefined) return { commandEnd: '', hasCommandPassed: false };
  const variables = { BUSY_HOST: host.name, BUSY_SNAPSHOT: snapshot.name, BUSY_RUN: runId };
  const output = new CommandOutput('drill_command', (text) => log.say(text));
  const limit = limitBefore(host.commandTimeoutMs, signal);
  const end = await callScript({ file, args, variables, directory }, output, limit);
  const commandEnd = describeEnd(end, host.commandTimeoutMs, 'command_timeout');
  log.say(`drill_command ${commandEnd}`);
  return { commandEnd, hasCommandPassed: isSuccess(end) };
}

async function failureFor(task: DrillTask, signal: AbortSignal, error: unknown): Promise<Failure> {
  const { host, snapshot } = task;
  if (signal.aborted) return new BusyError('CANCELLED', {}, { cause: error }).toFailure();
  const message = error instanceof Error ? error.message : String(error);
  if (isOutOfSpace(message) || (error instanceof BusyError && error.reason === 'DISK_FULL')) {
    const facts = { host: host.name, backupdir: host.backupdir, needed: 'more', free: 'nothing more' };
    return new BusyError('DRILL_NO_ROOM', facts).toFailure();
  }
  if (error instanceof BusyError) return toBusyError(error).toFailure();
  const isThere = task.isArchived || (await readSnapshotJson(snapshot.path).catch(() => null)) !== null;
  if (!isThere) return new BusyError('SNAPSHOT_REMOVED', { snapshot: snapshot.name }).toFailure();
  const facts = { host: host.name, snapshot: snapshot.name, detail: message };
  return new BusyError('DRILL_BROKEN', facts).toFailure();
}
