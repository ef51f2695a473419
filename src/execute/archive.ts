/**
 * A snapshot becomes an archive: written under another name, flushed, read back in full against the snapshot's manifest,
 * and only then it gets its name. The snapshot itself is not touched here: the daemon removes it afterwards, as an expired
 * one. At every moment there is the snapshot, or a whole archive, or both.
 */
import { constants } from 'node:fs';
import { access, copyFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nothingArchived, type ArchiveRecord } from '../core/archive.js';
import { bytesOf } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import { counted, formatBytes } from '../core/figures.js';
import type { ManifestTotals } from '../core/manifest.js';
import type { ArchiveResult, ArchiveTask } from '../core/archive-ports.js';
import type { RunEventsTaker } from '../core/executor-port.js';
import type { Clock } from '../core/ports.js';
import { faultPoint } from '../fault-points.js';
import type { ArchiveCheckReport } from './archive-check.js';
import { copyArchive } from './archive-copy.js';
import { clearArchiveLeftovers, onArchiveDisk } from './archive-disk.js';
import {
  archiveFiles,
  partialOf,
  readArchive,
  writeArchiveJson,
  type ArchiveFiles,
} from './archive-files.js';
import { readBack } from './archive-read-back.js';
import { reasonOf, requireSnapshot } from './archive-reason.js';
import { betweenArchiveScripts } from './archive-scripts.js';
import { writeTarball } from './archive-writer.js';
import { chooseCompressor } from './compressor.js';
import { DiskMeter } from './disk-meter.js';
import { workOnDisk } from './disk-thread.js';
import { manifestName } from './manifest-format.js';
import { openRunLogFile, type RunLogFile } from './run-log-file.js';
import { flushDirectory, flushFile } from './snapshot-dir.js';

export interface ArchiveSignals {
  readonly cancel: AbortSignal;
  /** The daemon stops. */
  readonly haste: AbortSignal;
}

interface Archiving {
  readonly task: ArchiveTask;
  readonly events: RunEventsTaker;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: RunLogFile;
  readonly files: ArchiveFiles;
}

/** Carries an archive out. What goes wrong is a result, not an exception. */
export async function archive(
  task: ArchiveTask,
  events: RunEventsTaker,
  { cancel, haste }: ArchiveSignals,
  clock: Clock,
): Promise<ArchiveResult> {
  const log = openRunLogFile(task.logFile, clock, () => events.onLog());
  const { archivedir, name: host, archive: policy } = task.host;
  const files = archiveFiles(archivedir, { host, snapshot: task.snapshot.name }, policy.format);
  const say = (text: string): void => log.say(text);
  const context = { task, tarball: files.tarball, say, signal: cancel, haste };
  try {
    return await betweenArchiveScripts(context, () =>
      onArchiveDisk(archivedir, () => archiveOne({ task, events, signal: cancel, clock, log, files })),
    );
  } catch (error) {
    const failure = await reasonOf(task, cancel, error);
    return { archives: [], done: nothingArchived, error: failure.toFailure() };
  } finally {
    await log.close();
  }
}

async function archiveOne(archiving: Archiving): Promise<ArchiveResult> {
  const { task, log } = archiving;
  const { archivedir, name: host, archive: policy } = task.host;
  await requireSnapshot(task);
  await access(archivedir, constants.W_OK);
  await clearArchiveLeftovers(archivedir, host);
  const before = await readArchive(archivedir, { host, snapshot: task.snapshot.name });
  const again = before && (await verifyAgain(archiving, before));
  const { made, report } = again ?? (await make(archiving));
  // Where there is no second place any more, the copy that was made stays the copy.
  const copyPath = policy.copyTo === '' ? made.copyPath : await copy(archiving, made);
  const former = before?.copyPath ?? '';
  if (former !== '' && former !== copyPath)
    log.say(`its former copy ${former} stays where it is; remove it by hand when it is not wanted`);
  if (copyPath !== made.copyPath) {
    await writeArchiveJson(besideOf(archiving, made).json, { ...made, copyPath });
    if (copyPath !== '') log.say(`copied to ${copyPath}, and the copy was read back`);
  }
  return {
    archives: [{ ...made, copyPath }],
    done: { entries: report.entries, contentBytes: report.contentBytes, archiveBytes: made.bytes },
    error: null,
  };
}

function copy({ task, events, signal, clock }: Archiving, made: ArchiveRecord): Promise<string> {
  // What is written is read back.
  const total = { entries: 0, bytes: 2 * made.bytes, jobs: 0 };
  const meter = new DiskMeter('archive', total, clock, (progress) => events.onProgress(progress));
  const onBytes = (bytes: number, file: string): void =>
    meter.add({ entries: 0, bytes, current: bytesOf(file) });
  return copyArchive(made, task.host.archive.copyTo, { signal, onBytes }).finally(() => meter.end());
}

function besideOf({ task }: Archiving, { format, host, name }: ArchiveRecord): ArchiveFiles {
  return archiveFiles(task.host.archivedir, { host, snapshot: name }, format);
}

interface Made {
  readonly made: ArchiveRecord;
  readonly report: ArchiveCheckReport;
}

/** An archive that is there already, from a run that was ended before the snapshot was removed; null: make it anew. */
async function verifyAgain(archiving: Archiving, before: ArchiveRecord): Promise<Made | null> {
  const { task, log, clock } = archiving;
  if (before.runId === '' || before.snapshot.runId !== task.snapshot.runId) {
    log.say(`${before.path} is there, but was not made of this snapshot: it is replaced`);
    return null;
  }
  log.say(`${before.path} is there already, and is read back`);
  const { manifest } = await manifestFor(archiving, partialOf(besideOf(archiving, before).manifest));
  try {
    const report = await readBack(archiving, {
      tarball: before.path,
      format: before.format,
      manifest,
      totals: before.manifest,
      root: before.manifestRoot,
      snapshot: task.snapshot.path,
    });
    const made = {
      ...before,
      bytes: report.bytes,
      sha256: report.sha256,
      verifiedAt: clock.now(),
      damage: '',
    };
    await writeArchiveJson(besideOf(archiving, before).json, made);
    return { made, report };
  } catch (error) {
    if (!(error instanceof BusyError) || error.reason !== 'ARCHIVE_MISMATCH') throw error;
    log.say(`it is not whole, so it is made anew: ${error.message}`);
    return null;
  } finally {
    await rm(partialOf(besideOf(archiving, before).manifest), { force: true });
  }
}

async function make(archiving: Archiving): Promise<Made> {
  const { task, files, clock, signal } = archiving;
  const partials = {
    tarball: partialOf(files.tarball),
    json: partialOf(files.json),
    manifest: partialOf(files.manifest),
  };
  try {
    const { manifest, totals, root } = await manifestFor(archiving, partials.manifest);
    if (manifest !== partials.manifest) await copyFile(manifest, partials.manifest);
    await flushFile(partials.manifest);
    await write(archiving, partials.tarball, totals);
    faultPoint('tarball is written');
    const report = await readBack(archiving, {
      tarball: partials.tarball,
      format: task.host.archive.format,
      manifest: partials.manifest,
      totals,
      root,
      snapshot: task.snapshot.path,
    });
    faultPoint('tarball is verified');
    if (signal.aborted) throw new BusyError('CANCELLED');
    const made = recordOf(archiving, report, { totals, root, now: clock.now() });
    await rename(partials.manifest, files.manifest);
    await writeArchiveJson(files.json, made);
    await flushDirectory(dirname(files.tarball));
    faultPoint('archive is described');
    await rename(partials.tarball, files.tarball);
    // One of the other format had the same files beside it, and is not what they tell of any more.
    await rm(otherFormatOf(archiving), { force: true });
    await flushDirectory(dirname(files.tarball));
    faultPoint('tarball is renamed');
    return { made, report };
  } catch (error) {
    await clearArchiveLeftovers(task.host.archivedir, task.host.name).catch(() => {});
    throw error;
  }
}

function otherFormatOf({ task }: Archiving): string {
  const { host, snapshot } = task;
  const format = host.archive.format === 'tar.gz' ? 'tar.zst' : 'tar.gz';
  return archiveFiles(host.archivedir, { host: host.name, snapshot: snapshot.name }, format).tarball;
}

/**
 * The manifest to compare with: that of the snapshot, or one that is made now at `file` where it has none, of all that
 * lies in its directory.
 */
async function manifestFor(
  archiving: Archiving,
  file: string,
): Promise<{ manifest: string; totals: ManifestTotals; root: 'data' | 'snapshot' }> {
  const { task, log, signal, clock, events } = archiving;
  const { path, manifest } = task.snapshot;
  if (manifest !== null) return { manifest: join(path, manifestName), totals: manifest, root: 'data' };
  const hasData = await stat(join(path, 'data')).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const root = hasData ? 'data' : 'snapshot';
  log.say('it has no manifest, so its directory is read and compared instead');
  await rm(file, { force: true });
  const meter = new DiskMeter('manifest', { entries: 0, bytes: 0, jobs: 0 }, clock, (progress) =>
    events.onProgress(progress),
  );
  const {
    hashedFiles: _,
    hashedBytes: __,
    aheadFiles: ___,
    ...totals
  } = await workOnDisk(
    'manifest',
    { directory: path, bases: [], other: { root: hasData ? join(path, 'data') : path, file } },
    { signal, isIdle: true, say: (text) => log.say(text), onProgress: (done) => meter.add(done) },
  );
  return { manifest: file, totals, root };
}

async function write(
  { task, log, signal, clock, events }: Archiving,
  tarball: string,
  totals: ManifestTotals,
): Promise<void> {
  const { format, level, threads } = task.host.archive;
  const { command, note } = await chooseCompressor({ format, level, threads });
  if (note !== '') log.say(note);
  log.say(`archives ${task.snapshot.name} with tar and ${command}`);
  const expected = { entries: 0, bytes: totals.bytes, jobs: 0 };
  const meter = new DiskMeter('archive', expected, clock, (progress) => events.onProgress(progress));
  let written = 0;
  await writeTarball(
    { snapshot: task.snapshot.path, tarball, compressor: command, host: task.host.name },
    {
      say: (text) => log.say(text),
      onBytes: (bytes) => {
        meter.add({ entries: 0, bytes: bytes - written, current: '' });
        written = bytes;
      },
    },
    signal,
  );
  meter.end();
  const { size } = await stat(tarball);
  const seconds = (meter.elapsedMs / 1000).toFixed(1);
  log.say(
    `wrote ${formatBytes(size)} of ${counted(totals.files, 'file')} (${formatBytes(totals.bytes)}) in ${seconds} s`,
  );
}

function recordOf(
  { task, files }: Archiving,
  report: ArchiveCheckReport,
  { totals, root, now }: { totals: ManifestTotals; root: 'data' | 'snapshot'; now: Date },
): ArchiveRecord {
  return {
    host: task.host.name,
    name: task.snapshot.name,
    format: task.host.archive.format,
    path: files.tarball,
    bytes: report.bytes,
    sha256: report.sha256,
    archivedAt: now,
    runId: task.runId,
    snapshot: task.snapshot,
    manifestRoot: root,
    manifest: totals,
    verifiedAt: now,
    damage: '',
    copyPath: '',
  };
}
