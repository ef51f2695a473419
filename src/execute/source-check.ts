/**
 * Asks the source gate about a backup whose jobs have ended: counts what it found, and reads from the disk what the
 * newest good snapshot has.
 */
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../core/host.js';
import { keepsTimes } from '../core/rsync-options.js';
import type { JobRecord } from '../core/run.js';
import { noTransfer, type HoldReason, type TransferStats } from '../core/snapshot.js';
import { judgeSources, type FoundSource, type SourceCounts } from '../core/source-gate.js';
import { runProcess, startProcess } from './process.js';
import { excludeNested } from './rsync-args.js';
import { parseRsyncLine } from './rsync-output.js';

/** The newest good snapshot of a host: the measure of the next. */
export interface Measure {
  readonly name: string;
  readonly path: string;
  readonly sources: readonly SourceCounts[];
}

/** Bytes that the measure has of a source directory; 0 when it has nothing of it. */
export function bytesIn(measure: Measure | null, source: string): number {
  return measure?.sources.find((known) => known.source === source)?.bytes ?? 0;
}

export interface SourceCheck {
  readonly host: Host;
  readonly partial: string;
  readonly jobs: readonly JobRecord[];
  /** Null when there is nothing to compare with. */
  readonly measure: Measure | null;
  /** Unchanged files are links into good snapshots alone, so that rsync's counts tell the changed ones. */
  readonly isLinkedToMeasure: boolean;
  readonly acceptsChanges: boolean;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** Why the snapshot is to be held; empty when it passes. Says it in the log. */
export async function checkSources(check: SourceCheck): Promise<readonly HoldReason[]> {
  const { host, jobs, measure, acceptsChanges, say } = check;
  for (const { source, stats } of jobs) {
    const isNew = !measure?.sources.some((known) => known.source === source);
    if (isNew && (stats?.fileCount ?? 0) <= 1) say(`${source} is empty; is it mounted?`);
  }
  if (measure === null) return [];
  const found: FoundSource[] = [];
  for (const job of jobs) found.push(await countSource(check, job, measure));
  const reasons = judgeSources(host.gate, found, { before: measure.sources, beforeName: measure.name });
  for (const { message } of reasons)
    say(`${acceptsChanges ? 'accepted as asked' : 'the snapshot will be held'}: ${message}`);
  return acceptsChanges ? [] : reasons;
}

async function countSource(check: SourceCheck, job: JobRecord, measure: Measure): Promise<FoundSource> {
  const stats = job.stats ?? noTransfer;
  const unchanged = (): Promise<number | null> | number =>
    check.isLinkedToMeasure ? unchangedFiles(stats) : compare(check, job, measure);
  return {
    source: job.source,
    entries: stats.fileCount,
    files: stats.regularFiles,
    bytes: stats.totalBytes,
    unchanged: keepsTimes(check.host.rsyncOpts) ? await unchanged() : null,
  };
}

/** Files that were copied here because of attributes alone have the contents they had. */
function unchangedFiles({ linkedFiles, copiedFiles, filesTransferred }: TransferStats): number {
  return Math.max(0, linkedFiles + copiedFiles - filesTransferred);
}

/**
 * What a full backup, or one that went on from an unfinished one, has in common with the measure: rsync compares both
 * directories on the server by size and time, in a dry run. Null when that cannot be said.
 */
async function compare(check: SourceCheck, { source }: JobRecord, measure: Measure): Promise<number | null> {
  const { host, partial, signal, say } = check;
  // Without need: nothing of it could be held, or nothing is known.
  const isKnown = measure.sources.some((known) => known.source === source && known.files > 0);
  if (!isKnown || host.gate.maxChange >= 1) return null;
  const nested = host.srcdirs.filter((other) => other !== source && other.startsWith(slashed(source)));
  const scratch = join(partial, 'compare');
  const args = [
    '-rltn',
    '--stats',
    '--no-human-readable',
    '--modify-window=-1',
    ...nested.map((other) => excludeNested(source, other)),
    `--compare-dest=${slashed(join(measure.path, 'data', source))}`,
    '--',
    slashed(join(partial, 'data', source)),
    slashed(scratch),
  ];
  try {
    await mkdir(scratch);
    const lines = (await runProcess('rsync', args, signal, startProcess)).split('\n').flatMap(parseRsyncLine);
    const parts = lines.flatMap((event) => (event.kind === 'stats' ? [event.stats] : []));
    const stats: TransferStats = Object.assign({ ...noTransfer }, ...parts);
    return stats.regularFiles - stats.filesTransferred;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    say(`${source} could not be compared with ${measure.name}: ${why}`);
    return null;
  } finally {
    await rmdir(scratch).catch(() => {});
  }
}

function slashed(directory: string): string {
  return directory.endsWith('/') ? directory : `${directory}/`;
}
