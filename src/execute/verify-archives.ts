/**
 * A run that reads archives back in full and compares them with the manifests beside them. One of the original BUSY has no
 * manifest: of it GNU tar, which has made it, finds out whether it can be read to its end.
 */
import { access, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nothingArchived, type ArchiveRecord } from '../core/archive.js';
import { BusyError, toBusyError, type Failure } from '../core/errors.js';
import { counted } from '../core/figures.js';
import type { ArchiveResult, ArchivesTask } from '../core/archive-ports.js';
import type { RunEventsTaker } from '../core/executor-port.js';
import type { Clock } from '../core/ports.js';
import { onArchiveDisk } from './archive-disk.js';
import { besideTarball, writeArchiveJson } from './archive-files.js';
import { readBack } from './archive-read-back.js';
import { openRunLogFile, type RunLogFile } from './run-log-file.js';
import { listTarball } from './tar-listing.js';

/** Carries it out. What goes wrong is a result, not an exception; all archives are looked at. */
export async function verifyArchives(
  task: ArchivesTask,
  events: RunEventsTaker,
  signal: AbortSignal,
  clock: Clock,
): Promise<ArchiveResult> {
  const log = openRunLogFile(task.logFile, clock, () => events.onLog());
  const archives: ArchiveRecord[] = [];
  let done: ArchiveResult['done'] = nothingArchived;
  let error: Failure | null = null;
  try {
    for (const archive of task.archives) {
      if (signal.aborted) break;
      try {
        const found = await verifyOne(archive, { events, signal, clock, log });
        archives.push(found.archive);
        done = {
          entries: done.entries + found.entries,
          contentBytes: done.contentBytes + found.contentBytes,
          archiveBytes: done.archiveBytes + found.archive.bytes,
        };
        if (found.archive.damage !== '') error ??= damaged(archive, found.archive.damage).toFailure();
      } catch (thrown) {
        log.say(`${archive.name}: ${toBusyError(thrown).message}`);
        error ??= toBusyError(thrown).toFailure();
      }
    }
    if (signal.aborted) error = new BusyError('CANCELLED').toFailure();
    return { archives, done, error };
  } finally {
    await log.close();
  }
}

interface Context {
  readonly events: RunEventsTaker;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: RunLogFile;
}

interface Found {
  readonly archive: ArchiveRecord;
  readonly entries: number;
  readonly contentBytes: number;
}

async function verifyOne(archive: ArchiveRecord, context: Context): Promise<Found> {
  if (archive.manifest === null)
    return onArchiveDisk(dirname(archive.path), () => readAlien(archive, context));
  const files = besideTarball(archive.path);
  const verifiedAt = context.clock.now();
  try {
    const report = await onArchiveDisk(dirname(archive.path), () =>
      readBack(
        { ...context, task: { snapshot: { host: archive.host, name: archive.name } } },
        {
          tarball: archive.path,
          format: archive.format,
          manifest: files.manifest,
          totals: archive.manifest,
          root: archive.manifestRoot,
          snapshot: null,
        },
      ),
    );
    const damage = report.sha256 === archive.sha256 ? '' : 'its hash is another one than when it was made';
    const known = { ...archive, verifiedAt: damage === '' ? verifiedAt : archive.verifiedAt, damage };
    await record(known);
    return { archive: known, entries: report.entries, contentBytes: report.contentBytes };
  } catch (error) {
    if (!(error instanceof BusyError) || error.reason !== 'ARCHIVE_MISMATCH') throw error;
    const known = { ...archive, damage: error.facts.first ?? error.message };
    context.log.say(`${archive.name} is DAMAGED: ${known.damage}`);
    await record(known);
    return { archive: known, entries: 0, contentBytes: 0 };
  }
}

/** Beside a tarball that was deleted meanwhile nothing is left. */
async function record(archive: ArchiveRecord): Promise<void> {
  await onArchiveDisk(dirname(archive.path), async () => {
    await access(archive.path);
    await writeArchiveJson(besideTarball(archive.path).json, archive);
  });
}

/** With nothing to compare with, it is something that every header is whole and the end is there. */
async function readAlien(archive: ArchiveRecord, { log, clock, signal }: Context): Promise<Found> {
  let entries = 0;
  let contentBytes = 0;
  const check = (): void => {
    if (signal.aborted) throw new BusyError('CANCELLED');
  };
  // What cannot be opened is not damaged.
  await (await open(archive.path)).close();
  try {
    for await (const { bytes } of listTarball(archive.path, archive.format, check)) {
      entries += 1;
      contentBytes += bytes;
    }
  } catch (error) {
    if (!(error instanceof BusyError) || error.reason !== 'ARCHIVE_NOT_RESTORABLE') throw error;
    return { archive: { ...archive, damage: error.facts.detail ?? error.message }, entries, contentBytes };
  }
  log.say(`${archive.name} has no manifest; all of it can be read: ${counted(entries, 'member')}`);
  return { archive: { ...archive, verifiedAt: clock.now(), damage: '' }, entries, contentBytes };
}

function damaged({ host, name, path }: ArchiveRecord, first: string): BusyError {
  return new BusyError('ARCHIVE_DAMAGED', {
    host,
    snapshot: name,
    path,
    first,
    count: 'see the log for all',
  });
}
