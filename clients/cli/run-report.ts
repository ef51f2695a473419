/** What there is to say of a run, in words for people. */
import { archivingFacts } from './archiving-report.js';
import {
  BackupType,
  RunKind,
  RunPhase,
  type Job,
  type Run,
  type TransferStats,
} from '../../src/gen/busy/v1/run.js';
import { drillFacts } from './drill-report.js';
import { formatBytes, formatCount, formatTime } from './human-format.js';
import type { Fact, Printer } from './output.js';
import { renderProgressLine, tookText } from './progress-line.js';
import { isBackup, isEnded, jobStateCell, kindName, runStateCell, typeName } from './states.js';
import { printChanges, restoreFacts } from './restore-report.js';
import { printDifferences, verificationFacts } from './verification-report.js';

const missingFilesInSummary = 10;

/** Everything about a run, with its jobs and all missing files that the server tells. */
export function printRun(printer: Printer, run: Run, now: Date): void {
  printer.facts([
    ...headFacts(run),
    ['Asked for', formatTime(run.createdAt)],
    ['Started', formatTime(run.startedAt)],
    ['Ended', formatTime(run.endedAt)],
    ...bodyFacts(run, now),
  ]);
  if (!isEnded(run.state)) printer.line(renderProgressLine(run));
  printError(printer, run);
  if (run.verification !== undefined) printDifferences(printer, run.verification, Number.POSITIVE_INFINITY);
  if (run.restore !== undefined) printChanges(printer, run.restore, Number.POSITIVE_INFINITY);
  const found = run.verification ?? run.drill;
  if (found !== undefined) printDifferences(printer, found, Number.POSITIVE_INFINITY);
  if (run.jobs.length > 0) printJobs(printer, run.jobs);
  printMissingFiles(printer, run, Number.POSITIVE_INFINITY);
}

/** The end of a run that was followed. `path` is the directory of its snapshot, where it is known. */
export function printSummary(printer: Printer, run: Run, now: Date, path: string | null): void {
  printer.line('');
  printer.facts([...headFacts(run), ...bodyFacts(run, now)]);
  if (path !== null) printer.line(`The files are below ${path}/data`);
  printError(printer, run);
  const found = run.verification ?? run.drill;
  if (found !== undefined) printDifferences(printer, found, missingFilesInSummary);
  printMissingFiles(printer, run, missingFilesInSummary);
}

/** Files and bytes that the host sent: so far, or in all. */
export function sentOfRun(run: Run): { files: number; bytes: number } {
  if (run.progress !== undefined && isCopying(run.progress.phase)) {
    return { files: run.progress.filesTransferred, bytes: run.progress.bytesDone };
  }
  if (run.archiving !== undefined) return { files: run.archiving.entries, bytes: run.archiving.contentBytes };
  if (run.restore !== undefined) {
    return { files: run.restore.created + run.restore.changed, bytes: run.restore.bytes };
  }
  if (run.verification !== undefined) {
    return { files: run.verification.filesRead, bytes: run.verification.bytesRead };
  }
  if (run.drill !== undefined) return { files: run.drill.files, bytes: run.drill.bytes };
  const total = (count: (job: Job) => number): number => run.jobs.reduce((sum, job) => sum + count(job), 0);
  return {
    files: total((job) => job.stats?.filesTransferred ?? 0),
    bytes: total((job) => job.stats?.transferredBytes ?? 0),
  };
}

/** Older daemons do not tell the phase. */
function isCopying(phase: RunPhase): boolean {
  return [RunPhase.COPY, RunPhase.RESTORE, RunPhase.UNSPECIFIED].includes(phase);
}

/** Which files take space of their own and which are hard links, of all these counts together. */
export function linksText(stats: readonly TransferStats[]): string {
  const total = (count: (one: TransferStats) => number): number =>
    stats.reduce((sum, one) => sum + count(one), 0);
  const linked = `${formatCount(total((one) => one.linkedFiles))} files linked (${formatBytes(total((one) => one.linkedBytes))})`;
  const copied = `${formatCount(total((one) => one.copiedFiles))} copied (${formatBytes(total((one) => one.copiedBytes))})`;
  const attributes = total((one) => one.attributeChangedFiles);
  const why = attributes === 0 ? '' : `, ${formatCount(attributes)} of them for owner, mode or time alone`;
  return `${linked}, ${copied}${why}`;
}

function headFacts(run: Run): Fact[] {
  const why = run.typeReason === '' ? '' : `: ${run.typeReason}`;
  const type = run.type === BackupType.UNSPECIFIED ? 'not decided' : typeName(run.type);
  return [
    ['Run', run.id],
    ['Kind', kindName(run.kind)],
    ['Host', run.host],
    ['State', runStateCell(run.state)],
    ...(isBackup(run) ? [['Type', `${type}${why}`] as const] : []),
  ];
}

function bodyFacts(run: Run, now: Date): Fact[] {
  if (run.archiving !== undefined) return archivingFacts(run, run.archiving, now);
  if (run.restore !== undefined) return restoreFacts(run, run.restore, now);
  if (run.kind === RunKind.DRILL) return drillFacts(run, now);
  if (!isBackup(run)) return verificationFacts(run, now);
  const sent = sentOfRun(run);
  const entries = run.jobs.reduce((sum, job) => sum + (job.stats?.fileCount ?? 0), 0);
  const bytes = run.jobs.reduce((sum, job) => sum + (job.stats?.totalBytes ?? 0), 0);
  return [
    ['Snapshot', run.snapshot === '' ? 'none' : run.snapshot],
    ['Files', `${formatCount(sent.files)} sent, ${formatCount(entries)} entries in the source`],
    ['Bytes', `${formatBytes(sent.bytes)} sent, ${formatBytes(bytes)} in the source`],
    ['Links', linksText(run.jobs.flatMap(({ stats }) => (stats === undefined ? [] : [stats])))],
    ['Took', tookText(run, now)],
  ];
}

function printError(printer: Printer, run: Run): void {
  if (run.error === undefined) return;
  printer.line('');
  printer.line(run.error.message);
  if (run.error.advice !== '') printer.line(`  ${run.error.advice}`);
  printer.line(`  (${run.error.reason})`);
}

function printJobs(printer: Printer, jobs: readonly Job[]): void {
  printer.line('');
  printer.table(
    ['JOB', 'SOURCE', 'STATE', 'FILES', 'BYTES', 'WHY'],
    jobs.map((job) => [
      String(job.number),
      job.source,
      jobStateCell(job.state),
      formatCount(job.stats?.filesTransferred ?? 0),
      formatBytes(job.stats?.transferredBytes ?? 0),
      job.error?.message ?? '',
    ]),
    '',
  );
}

function printMissingFiles(printer: Printer, run: Run, limit: number): void {
  const count = run.jobs.reduce((sum, job) => sum + job.missingFileCount, 0);
  if (count === 0) return;
  const shown = run.jobs.flatMap((job) => job.missingFiles).slice(0, limit);
  printer.line('');
  printer.line(`Missing or incomplete files: ${formatCount(count)}`);
  for (const file of shown) printer.line(`  ${file.path}: ${file.why}`);
  const more = count - shown.length;
  if (more > 0) printer.line(`  and ${formatCount(more)} more, all listed in snapshot.json beside the data`);
}
