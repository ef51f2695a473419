/** What the log of a run says of its backup. */
import { describeLinks } from '../core/link-health.js';
import type { JobRecord } from '../core/run.js';
import type { BackupType } from '../core/snapshot.js';
import type { LinkBases } from './link-bases.js';
import type { RunLogFile } from './run-log-file.js';

/** What unchanged files of a backup become. */
export function sayBases(log: RunLogFile, bases: LinkBases, wanted: BackupType): void {
  if (bases.type !== wanted) log.say('there is no snapshot to link to, so this backup is a full one');
  for (const name of bases.snapshotNames) log.say(`unchanged files become links into ${name}`);
  for (const partial of bases.resumed) log.say(`goes on from ${partial.name}`);
  if (bases.mustCompareContents) {
    log.say('the machine was restarted since then, so contents are compared instead of sizes and times');
  }
}

/** A job that has ended, in one line. */
export function describeJob(job: JobRecord): string {
  const stats = job.stats;
  const counted = stats
    ? `: ${stats.fileCount} entries, ${stats.filesTransferred} files sent, ${stats.transferredBytes} of ${stats.totalBytes} bytes`
    : '';
  const links = stats ? `; ${describeLinks(stats)}` : '';
  const why = job.error ? ` (${job.error.reason}: ${job.error.message})` : '';
  return `job ${job.number} ${job.state}${counted}${links}${why}`;
}
