/** The manifest of a backup: made when all has been copied, just before the commit. */
import { join } from 'node:path';
import { counted, formatBytes, formatCount } from '../core/figures.js';
import type { ManifestTotals } from '../core/manifest.js';
import type { BackupEvents } from '../core/executor-port.js';
import type { Clock } from '../core/ports.js';
import type { JobRecord } from '../core/run.js';
import type { HashAhead } from './hash-ahead.js';
import type { LinkBases } from './link-bases.js';
import { DiskMeter } from './disk-meter.js';
import { workOnDisk } from './disk-thread.js';
import type { RunLogFile } from './run-log-file.js';

export interface ManifestContext {
  /** The partial snapshot. */
  readonly partial: string;
  /** The directory that holds the snapshots. */
  readonly store: string;
  readonly bases: LinkBases;
  readonly jobs: readonly JobRecord[];
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: RunLogFile;
  readonly events: Pick<BackupEvents, 'onProgress'>;
  readonly ahead: HashAhead | null;
}

/** How often a long wait is told in the log. */
const waitMs = 30_000;

/**
 * Answers what the manifest counts, or null when there is none: cancelled, or it could not be made. A good snapshot is
 * not lost for that; it can only not be verified.
 */
export async function writeManifest(context: ManifestContext): Promise<ManifestTotals | null> {
  const { partial, store, bases, jobs, signal, clock, log, ahead } = context;
  const sum = (count: (job: JobRecord) => number): number => jobs.reduce((all, job) => all + count(job), 0);
  const expected = {
    entries: sum((job) => job.stats?.fileCount ?? 0),
    bytes: sum((job) => job.stats?.totalBytes ?? 0),
    jobs: jobs.length,
  };
  const meter = new DiskMeter('manifest', expected, clock, (progress) => context.events.onProgress(progress));
  const task = {
    directory: partial,
    bases: bases.snapshotNames.map((name) => join(store, name)),
    ahead: ahead && (await hashedAhead(ahead, log)),
  };
  try {
    const { hashedFiles, hashedBytes, aheadFiles, ...totals } = await workOnDisk('manifest', task, {
      signal,
      isIdle: false,
      say: (text) => log.say(text),
      onProgress: (done) => meter.add(done),
    });
    const seconds = (meter.elapsedMs / 1000).toFixed(1);
    const early = aheadFiles > 0 ? `, ${formatCount(aheadFiles)} of them while others were copied` : '';
    log.say(
      `manifest: ${formatCount(totals.entries)} entries, ${formatCount(hashedFiles)} of ${counted(totals.files, 'file')} hashed (${formatBytes(hashedBytes)})${early}, in ${seconds} s`,
    );
    return totals;
  } catch (error) {
    if (signal.aborted) return null;
    const detail = error instanceof Error ? error.message : String(error);
    log.say(`the manifest could not be made, so this snapshot cannot be verified: ${detail}`);
    return null;
  }
}

async function hashedAhead(ahead: HashAhead, log: RunLogFile): Promise<SharedArrayBuffer | null> {
  const heartbeat = setInterval(() => log.say('a file that was copied is still being hashed'), waitMs);
  try {
    return await ahead.end();
  } finally {
    clearInterval(heartbeat);
  }
}
