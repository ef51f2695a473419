/**
 * A file that a verification has found damaged has the size and the time that it should have, so rsync takes it for
 * unchanged and links to it, or copies it where its attributes have changed. Such files are taken out of the new
 * snapshot, and the host sends them again.
 */
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf, type BytePath } from '../core/byte-path.js';
import { counted } from '../core/figures.js';
import type { BackupTask } from '../core/executor-port.js';
import { addStats, type TransferStats } from '../core/snapshot.js';
import { damagedPlaces } from './damage.js';
import { workOnDisk } from './disk-thread.js';
import type { EndedJob } from './job.js';
import { onlyPatterns, type TransferPlan } from './rsync-args.js';
import type { RunLogFile } from './run-log-file.js';
import { diskPath } from './tree-walk.js';

export interface Replacement {
  readonly task: BackupTask;
  readonly log: RunLogFile;
  readonly signal: AbortSignal;
  /** The partial snapshot. */
  readonly partial: string;
  /** The directories of the snapshots that were link bases. */
  readonly bases: readonly string[];
  /** How each source directory was copied. */
  readonly plans: readonly TransferPlan[];
  /** Copies a part of a source directory, by its place in the configuration. */
  readonly copyAgain: (index: number, plan: TransferPlan) => Promise<EndedJob>;
}

/** Replaces the jobs in `ended` by what they are now. Throws CANCELLED, or what the file system says. */
export async function replaceDamaged(work: Replacement, ended: EndedJob[]): Promise<void> {
  const { log, partial, plans } = work;
  const paths = await damagedIn(work);
  if (paths.length === 0) return;
  log.say(`${counted(paths.length, 'file')} taken from damaged ones: the host sends these files again`);
  const root = bytesOf(join(partial, 'data'));
  for (const path of paths) await unlink(diskPath(root, path));
  for (const [index, plan] of plans.entries()) {
    const own = paths.filter((path) => ownerOf(plans, path) === plan);
    for (const patterns of onlyPatterns(own.map((path) => below(plan, path)))) {
      const again = await work.copyAgain(index, { ...plan, linkBases: [], only: patterns });
      const before = ended[index];
      if (before) ended[index] = together(before, again);
    }
  }
}

async function damagedIn({ task, log, signal, partial, bases }: Replacement): Promise<readonly BytePath[]> {
  const damaged = await damagedPlaces(join(task.host.backupdir, task.host.name));
  if (damaged.length === 0) return [];
  const options = {
    signal,
    isIdle: false,
    say: (text: string): void => log.say(text),
    onProgress: (): void => {},
  };
  const search = { directory: partial, damaged, bases };
  return (await workOnDisk('search', search, options)).paths;
}

/** The plan whose source directory holds a path, and no nested one does. */
function ownerOf(plans: readonly TransferPlan[], path: BytePath): TransferPlan | undefined {
  const holders = plans.filter((plan) => isIn(path, bytesOf(plan.source)));
  return holders.sort((a, b) => b.source.length - a.source.length)[0];
}

function isIn(path: BytePath, source: BytePath): boolean {
  return source === '/' || path.startsWith(`${source}/`);
}

function below(plan: TransferPlan, path: BytePath): BytePath {
  return plan.source === '/' ? path : path.slice(bytesOf(plan.source).length);
}

/** A job and the copy that followed it, as one. Of its entries all were counted before. */
function together(job: EndedJob, again: EndedJob): EndedJob {
  const isWorse = again.record.state !== 'SUCCEEDED';
  const { state, error, exitCode } = isWorse ? again.record : job.record;
  const missingFiles = [...job.missingFiles, ...again.missingFiles];
  const stats = job.record.stats && again.record.stats && addTransfer(job.record.stats, again.record.stats);
  return {
    missingFiles,
    record: {
      ...job.record,
      state,
      error,
      exitCode,
      stats: stats ?? job.record.stats,
      missingFiles: [...job.record.missingFiles, ...again.record.missingFiles],
      missingFileCount: job.record.missingFileCount + again.record.missingFileCount,
    },
  };
}

function addTransfer(job: TransferStats, again: TransferStats): TransferStats {
  const { fileCount, totalBytes } = job;
  return {
    ...addStats(job, again),
    fileCount,
    totalBytes,
    linkedFiles: Math.max(0, job.linkedFiles - again.filesTransferred),
    linkedBytes: Math.max(0, job.linkedBytes - again.transferredBytes),
  };
}
