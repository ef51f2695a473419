/** Reads a tarball back in full and compares it, in a thread of its own; tells progress and the log. */
import { basename } from 'node:path';
import type { ArchiveFormat } from '../core/archive.js';
import { BusyError } from '../core/errors.js';
import { counted, formatBytes, formatCount } from '../core/figures.js';
import type { ManifestTotals } from '../core/manifest.js';
import type { RunEventsTaker } from '../core/executor-port.js';
import type { Clock } from '../core/ports.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import type { ArchiveCheckReport } from './archive-check.js';
import { DiskMeter } from './disk-meter.js';
import { workOnDisk } from './disk-thread.js';
import type { RunLogFile } from './run-log-file.js';

export interface ReadBackContext {
  readonly task: { readonly snapshot: Pick<SnapshotRecord, 'host' | 'name'> };
  readonly events: RunEventsTaker;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: RunLogFile;
}

export interface ReadBackTask {
  readonly tarball: string;
  readonly format: ArchiveFormat;
  readonly manifest: string;
  readonly totals: ManifestTotals | null;
  readonly root: 'data' | 'snapshot';
  /** The directory of the snapshot, while it is there. */
  readonly snapshot: string | null;
}

/** Throws ARCHIVE_MISMATCH, CANCELLED, and what the file system says. */
export async function readBack(context: ReadBackContext, what: ReadBackTask): Promise<ArchiveCheckReport> {
  const { signal, clock, log, events } = context;
  const { host, name } = context.task.snapshot;
  const expected = { entries: what.totals?.entries ?? 0, bytes: what.totals?.bytes ?? 0, jobs: 0 };
  const meter = new DiskMeter('verify-archive', expected, clock, (progress) => events.onProgress(progress));
  const { tarball, format, manifest, root, snapshot } = what;
  const report = await workOnDisk(
    'archiveCheck',
    { tarball, format, manifest, name, root, snapshot },
    { signal, isIdle: true, say: (text) => log.say(text), onProgress: (done) => meter.add(done) },
  );
  meter.end();
  if (report.wrongCount > 0) {
    const facts = { host, snapshot: name, first: report.firstWrong, count: formatCount(report.wrongCount) };
    throw new BusyError('ARCHIVE_MISMATCH', { ...facts, path: tarball });
  }
  const sockets =
    report.sockets === 0 ? '' : `; without ${counted(report.sockets, 'socket')}, as tar does it`;
  const seconds = (meter.elapsedMs / 1000).toFixed(1);
  log.say(
    `read ${basename(tarball)} back: ${formatCount(report.entries)} entries, ${formatBytes(report.contentBytes)}, all as in the manifest, in ${seconds} s${sockets}`,
  );
  return report;
}
