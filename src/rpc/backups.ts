/** BackupService: starts backups and follows runs. */
import type { LogBatch } from '../control/log-stream.js';
import type { RunEvents } from '../control/run-events.js';
import type { RunLifecycle } from '../control/run-lifecycle.js';
import { seesHost, type Caller } from '../core/caller.js';
import type { RunRecord } from '../core/run.js';
import type {
  BackupServiceServer,
  ListRunsRequest,
  ListRunsResponse,
  StreamLogsRequest,
  StreamLogsResponse,
  WatchRunsRequest,
  WatchRunsResponse,
} from '../gen/busy/v1/backup_service.js';
import type { Run } from '../gen/busy/v1/run.js';
import { toListedRunMessage, toRunMessage } from './convert.js';
import { toRequestedType, toRunState } from './enums.js';
import { readPageStart, toPage } from './page.js';
import { longestRequestId, requireAtMost, requireNotNegative, requireText } from './request-shape.js';
import type { CallAdapters } from './stream.js';

/** Batches of lines of a run's log from a byte offset on; ends with the log, or with the signal. */
export type LogSource = (
  request: { runId: string; offset: number; follow: boolean },
  signal: AbortSignal,
) => AsyncGenerator<LogBatch>;

export interface BackupParts {
  readonly lifecycle: Pick<RunLifecycle, 'trigger' | 'cancel' | 'get' | 'list' | 'progress' | 'activeRuns'>;
  readonly events: Pick<RunEvents, 'watch'>;
  readonly streamLog: LogSource;
}

export function backupHandlers(parts: BackupParts, calls: CallAdapters): BackupServiceServer {
  const { lifecycle } = parts;
  const answer = (run: RunRecord): { run: Run } => ({ run: toRunMessage(run, lifecycle.progress(run.id)) });
  return {
    triggerBackup: calls.unary(async ({ host, type, requestId, acceptChanges }) =>
      answer(
        await lifecycle.trigger({
          host: requireText('host', host),
          type: toRequestedType(type),
          requestId: requireAtMost('request_id', requestId, longestRequestId) || null,
          acceptsChanges: acceptChanges,
        }),
      ),
    ),
    getRun: calls.unary(async ({ id }) => answer(await lifecycle.get(requireText('id', id)))),
    listRuns: calls.unary((request, caller) => listRuns(parts, request, caller)),
    cancelRun: calls.unary(async ({ id }) => answer(await lifecycle.cancel(requireText('id', id)))),
    watchRuns: calls.serverStream((request, signal, caller) => watchRuns(parts, { request, caller }, signal)),
    streamLogs: calls.serverStream((request, signal) => streamLogs(parts, request, signal)),
  };
}

async function listRuns(
  { lifecycle }: BackupParts,
  request: ListRunsRequest,
  { hosts }: Caller,
): Promise<ListRunsResponse> {
  const { size, after } = readPageStart('runs', request);
  const states = request.states.map(toRunState);
  const runs = await lifecycle.list({
    // One more than is answered tells whether there is another page.
    limit: size + 1,
    ...(after !== null && { beforeId: after }),
    ...(hosts !== null && { hosts: [...hosts] }),
    ...(request.host !== '' && { host: request.host }),
    ...(states.length > 0 && { states }),
  });
  const page = toPage('runs', runs, { size, keyOf: (run) => run.id });
  return {
    runs: page.items.map((run) => toListedRunMessage(run, lifecycle.progress(run.id))),
    nextPageToken: page.nextPageToken,
  };
}

async function* watchRuns(
  { events, lifecycle }: BackupParts,
  { request, caller }: { readonly request: WatchRunsRequest; readonly caller: Caller },
  signal: AbortSignal,
): AsyncGenerator<WatchRunsResponse> {
  const options = {
    afterRevision: requireNotNegative('after_revision', request.afterRevision),
    host: request.host || null,
    runId: request.runId || null,
  };
  for await (const view of events.watch(options, signal, () => lifecycle.activeRuns())) {
    if (seesHost(caller, view.run.host)) yield { run: toRunMessage(view.run, view.progress) };
  }
}

async function* streamLogs(
  { streamLog }: BackupParts,
  request: StreamLogsRequest,
  signal: AbortSignal,
): AsyncGenerator<StreamLogsResponse> {
  const place = {
    runId: requireText('run_id', request.runId),
    offset: requireNotNegative('offset', request.offset),
    follow: request.follow,
  };
  for await (const batch of streamLog(place, signal)) yield { ...batch, lines: [...batch.lines] };
}
