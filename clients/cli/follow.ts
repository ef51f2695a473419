/** Follows a run to its end: its log, its progress, and a summary. */
import { WatchRunsResponse } from '../../src/gen/busy/v1/backup_service.js';
import type { Run } from '../../src/gen/busy/v1/run.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { CliError } from './cli-error.js';
import { exitCodeOfRun } from './exit-codes.js';
import { streamLog } from './log-stream.js';
import { progressReporter } from './progress-report.js';
import { printSummary } from './run-report.js';
import type { Session } from './session.js';
import { isBackup, isEnded } from './states.js';
import { watchRuns } from './watch-stream.js';

/** Answers the exit code of the run's end state. Throws CliError; on Ctrl-C one that says how to go on. */
export async function followRun(session: Session, run: Run): Promise<number> {
  try {
    const ended = session.printer.isJson
      ? await followAsJson(session, run)
      : await followAsText(session, run);
    return exitCodeOfRun(ended.state);
  } catch (error) {
    throw session.interrupt.aborted ? stoppedFollowing(run.id) : error;
  }
}

/** What Ctrl-C means to a run that is followed: nothing. */
export function stoppedFollowing(runId: string): CliError {
  return new CliError({
    kind: 'interrupted',
    reason: 'STOPPED_FOLLOWING',
    message: `Stopped following; run ${runId} goes on.`,
    advice: `Follow it again with: busy logs ${runId} --follow; or stop it with: busy cancel ${runId}`,
    code: 'CANCELLED',
  });
}

async function followAsJson(session: Session, run: Run): Promise<Run> {
  const print = (value: Run): void => session.printer.json(WatchRunsResponse.toJSON({ run: value }));
  if (isEnded(run.state)) print(run);
  return watchToEnd(session, run, print);
}

async function followAsText(session: Session, run: Run): Promise<Run> {
  const { printer, now } = session;
  const stop = new AbortController();
  const linked = { ...session, signal: AbortSignal.any([session.signal, stop.signal]) };
  printer.line(`Run ${run.id} of ${run.host}`);
  const work = [watchToEnd(linked, run, progressReporter(session)), copyLog(linked, run.id)] as const;
  try {
    const [ended] = await Promise.all(work);
    printer.status('');
    printSummary(printer, ended, now(), await snapshotPath(session, ended));
    return ended;
  } finally {
    // When one of the two fails, the other must not go on printing.
    stop.abort();
    await Promise.allSettled(work);
  }
}

async function watchToEnd(session: Session, run: Run, onValue: (run: Run) => void): Promise<Run> {
  // A repeated request answers a run that may have ended long ago; no change of it would ever come.
  if (isEnded(run.state)) return run;
  const filter = { host: '', runId: run.id, afterRevision: run.revision };
  for await (const value of watchRuns(
    session,
    filter,
    `Follow it again with: busy logs ${run.id} --follow`,
  )) {
    onValue(value);
    await session.printer.drained(session.signal);
    if (isEnded(value.state)) return value;
  }
  throw new Error(`the stream of run ${run.id} ended before the run`);
}

async function copyLog(session: Session, runId: string): Promise<void> {
  const place = { runId, offset: 0, follow: true };
  // The watch of the same run tells of a loss.
  for await (const { lines } of streamLog(session, place, () => undefined)) {
    for (const line of lines) session.printer.line(line);
    await session.printer.drained(session.signal);
  }
}

/** Null when there is no snapshot, or when it cannot be asked for: the run has ended all the same. */
async function snapshotPath({ connection }: Session, run: Run): Promise<string | null> {
  if (run.snapshot === '' || !isBackup(run)) return null;
  try {
    const request = { host: run.host, name: run.snapshot, asOf: undefined };
    const { snapshot } = await connection.call(SnapshotServiceService.getSnapshot, request);
    return snapshot?.path ?? null;
  } catch (error) {
    if (error instanceof CliError) return null;
    throw error;
  }
}
