/** SnapshotService: the committed snapshots. */
import { authorizeRestore } from '../control/authorization.js';
import type { Catalog } from '../control/catalog.js';
import type { Downloads } from '../control/downloads.js';
import type { Pruner } from '../control/pruner.js';
import type { RunLifecycle } from '../control/run-lifecycle.js';
import type { HostSpace, SpaceReporter } from '../control/space-report.js';
import type { ListedTrash } from '../control/trash.js';
import type { Deletion } from '../control/trashed-snapshots.js';
import { seesHost, type Caller } from '../core/caller.js';
import { BusyError } from '../core/errors.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import type {
  DrillRestoreRequest,
  DrillRestoreResponse,
  HostSpace as HostSpaceMessage,
  MeasureSpaceResponse,
  PruneSnapshotsResponse,
  SnapshotServiceServer,
} from '../gen/busy/v1/snapshot_service.js';
import { browseHandlers, type BrowseParts } from './browse.js';
import { toRunMessage, toSnapshotMessage } from './convert.js';
import { downloadFiles } from './downloads.js';
import { readPageStart, toPage } from './page.js';
import { longestRequestId, refuseTimeBesideName, requireAtMost, requireText } from './request-shape.js';
import { readRestore } from './restores.js';
import type { CallAdapters } from './stream.js';
import { toTrashMessage } from './trash.js';

export interface SnapshotParts extends BrowseParts {
  readonly catalog: Pick<Catalog, 'snapshots' | 'host'>;
  readonly pruner: Pick<Pruner, 'judge' | 'prune'>;
  /** What `control/held-snapshots.ts` does. */
  readonly held: {
    acknowledge: (host: string, name: string) => Promise<SnapshotRecord>;
    discard: (host: string, name: string, by: string) => Promise<SnapshotRecord>;
  };
  readonly downloads: Pick<Downloads, 'download'>;
  readonly deleteSnapshot: (host: string, name: string, deletion: Deletion) => Promise<ListedTrash>;
  readonly spaceReporter: Pick<SpaceReporter, 'measure'>;
  readonly lifecycle: Pick<RunLifecycle, 'trigger' | 'progress' | 'get'>;
}

export function snapshotHandlers(parts: SnapshotParts, calls: CallAdapters): SnapshotServiceServer {
  const { catalog } = parts;
  return {
    listSnapshots: calls.unary(async (request, caller) => {
      const { size, after } = readPageStart('snapshots', request);
      const all = catalog.snapshots(request.host || undefined).filter(({ host }) => seesHost(caller, host));
      const page = toPage('snapshots', after === null ? all : snapshotsAfter(all, after), { size, keyOf });
      return { snapshots: page.items.map(toSnapshotMessage), nextPageToken: page.nextPageToken };
    }),
    getSnapshot: calls.unary(async ({ host, name, asOf }) => {
      requireText('host', host);
      refuseTimeBesideName(name, asOf);
      const { record: snapshot } = await parts.browser.snapshot(host, name, asOf ?? null);
      return { snapshot: toSnapshotMessage(snapshot) };
    }),
    acknowledgeSnapshot: calls.unary(async ({ host, name, discard }, caller) => {
      requireText('host', host);
      requireText('name', name);
      const { held } = parts;
      const ended = discard ? held.discard(host, name, caller.name) : held.acknowledge(host, name);
      return { snapshot: toSnapshotMessage(await ended) };
    }),
    verifySnapshot: calls.unary(async ({ host, name, requestId }) => {
      const run = await parts.lifecycle.trigger({
        kind: 'verify',
        host: requireText('host', host),
        snapshot: name || null,
        requestId: requireAtMost('request_id', requestId, longestRequestId) || null,
      });
      return { run: toRunMessage(run, parts.lifecycle.progress(run.id)) };
    }),
    restore: calls.unary(async (request, caller) => {
      const wish = readRestore(request);
      authorizeRestore(caller, wish.target);
      const run = await parts.lifecycle.trigger({
        kind: 'restore',
        host: requireText('host', request.host),
        snapshot: requireText('snapshot', request.snapshot),
        wish,
        requestId: requireAtMost('request_id', request.requestId, longestRequestId) || null,
      });
      return { run: toRunMessage(run, parts.lifecycle.progress(run.id)) };
    }),
    pruneSnapshots: calls.unary(({ host, dryRun }) => prune(parts, requireText('host', host), dryRun)),
    drillRestore: calls.unary((request) => drill(parts, request)),
    downloadFiles: calls.serverStream((request, signal) => downloadFiles(parts.downloads, request, signal)),
    measureSpace: calls.serverStream(({ host }, signal, caller) =>
      measureSpace(parts, { host, caller }, signal),
    ),
    deleteSnapshot: calls.unary(async ({ host, name, confirm }, caller) => {
      const deletion = { by: caller.name, isAdmin: caller.role === 'admin', confirm };
      const entry = await parts.deleteSnapshot(
        requireText('host', host),
        requireText('name', name),
        deletion,
      );
      return { entry: toTrashMessage(entry) };
    }),
    ...browseHandlers(parts, calls),
  };
}

async function drill(
  { lifecycle }: SnapshotParts,
  request: DrillRestoreRequest,
): Promise<DrillRestoreResponse> {
  const host = requireText('host', request.host);
  const repeated = request.repeatRunId === '' ? null : await lifecycle.get(request.repeatRunId);
  if (repeated && (repeated.host !== host || repeated.drill === null))
    throw new BusyError('DRILL_NOT_REPEATABLE', { host, run: repeated.id });
  const run = await lifecycle.trigger({
    kind: 'drill',
    host,
    snapshot: request.snapshot || (repeated?.snapshot ?? null),
    seed: repeated?.drill?.seed ?? null,
    requestId: requireAtMost('request_id', request.requestId, longestRequestId) || null,
  });
  return { run: toRunMessage(run, lifecycle.progress(run.id)) };
}

async function prune(
  { catalog, pruner }: SnapshotParts,
  host: string,
  isDryRun: boolean,
): Promise<PruneSnapshotsResponse> {
  const hasKeep = catalog.host(host).keep !== null;
  const { verdicts, frozen, removedCount } = isDryRun
    ? { ...(await pruner.judge(host)), removedCount: null }
    : await pruner.prune(host);
  const doomedCount = verdicts.filter(({ isKept }) => !isKept).length;
  return {
    verdicts: verdicts.map((verdict) => ({ ...verdict, snapshot: toSnapshotMessage(verdict.snapshot) })),
    frozenReason: frozen,
    removedCount: removedCount ?? doomedCount,
    hasKeep,
  };
}

async function* measureSpace(
  { spaceReporter }: SnapshotParts,
  { host, caller }: { readonly host: string; readonly caller: Caller },
  signal: AbortSignal,
): AsyncGenerator<MeasureSpaceResponse> {
  const isSeen = (name: string): boolean => seesHost(caller, name);
  for await (const step of spaceReporter.measure(host === '' ? null : host, signal, isSeen)) {
    yield 'result' in step
      ? { host: toHostSpaceMessage(step.result), progress: undefined }
      : { host: undefined, progress: step.progress };
  }
}

function toHostSpaceMessage({ room, ...space }: HostSpace): HostSpaceMessage {
  return {
    ...space,
    snapshots: space.snapshots.map(({ snapshot, usage }) => ({
      snapshot: toSnapshotMessage(snapshot),
      seenBytes: usage.seen.bytes,
      freedBytes: usage.own.bytes,
      freedInodes: usage.own.inodes,
    })),
    diskFreeBytes: room?.free.bytes,
    diskTotalBytes: room?.total.bytes,
  };
}

/** Neither names of snapshots nor names of hosts hold a slash. */
function keyOf({ name, host }: SnapshotRecord): string {
  return `${name}/${host}`;
}

/** Names of one time sort by host; all others newest first. */
function snapshotsAfter(snapshots: readonly SnapshotRecord[], key: string): readonly SnapshotRecord[] {
  const [name = '', host = ''] = key.split('/');
  return snapshots.filter(
    (snapshot) => snapshot.name < name || (snapshot.name === name && snapshot.host > host),
  );
}
