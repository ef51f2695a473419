/** The calls of SnapshotService that look into snapshots. */
import type { Browser } from '../control/browser.js';
import type { FoundSnapshot } from '../core/browse.js';
import { BusyError } from '../core/errors.js';
import { readPathRequest } from '../core/path-request.js';
import type {
  DiffSnapshotsRequest,
  DiffSnapshotsResponse,
  FindFilesRequest,
  FindFilesResponse,
  ListFilesRequest,
  ListFilesResponse,
  ListFileVersionsRequest,
  ListFileVersionsResponse,
} from '../gen/busy/v1/browse.js';
import type { SnapshotServiceServer } from '../gen/busy/v1/snapshot_service.js';
import {
  sizeOfFile,
  toDifferenceMessage,
  toEntryType,
  toFileChanges,
  toFileMessage,
  toSummaryMessage,
  toVersionState,
} from './browse-convert.js';
import { toSnapshotMessage } from './convert.js';
import { cutBySize } from './message-size.js';
import { readPageStart, toPage } from './page.js';
import { requireText } from './request-shape.js';
import type { CallAdapters } from './stream.js';

export interface BrowseParts {
  readonly browser: Pick<Browser, 'snapshot' | 'snapshots' | 'look'>;
}

export function browseHandlers(
  parts: BrowseParts,
  calls: CallAdapters,
): Pick<SnapshotServiceServer, 'listFiles' | 'findFiles' | 'listFileVersions' | 'diffSnapshots'> {
  return {
    listFiles: calls.unary((request, _, signal) => listFiles(parts, request, signal)),
    findFiles: calls.serverStream((request, signal) => findFiles(parts, request, signal)),
    listFileVersions: calls.serverStream((request, signal) => listFileVersions(parts, request, signal)),
    diffSnapshots: calls.serverStream((request, signal) => diffSnapshots(parts, request, signal)),
  };
}

async function listFiles(
  { browser }: BrowseParts,
  request: ListFilesRequest,
  signal: AbortSignal,
): Promise<ListFilesResponse> {
  const path = readPathRequest(request.path);
  const { size, after } = readPageStart('files', request);
  const found = await browser.snapshot(requireText('host', request.host), request.snapshot);
  const { source } = found;
  const task = { source, path, after, limit: size + 1 };
  const entries = [];
  for await (const batch of browser.look('list', { hosts: [source.host], task }, signal))
    entries.push(...batch);
  const files = entries.map((entry) => ({ name: nameOf(entry.path), message: toFileMessage(entry) }));
  const [fitting = []] = cutBySize(files.slice(0, size), ({ message }) => sizeOfFile(message));
  const page = toPage('files', files, { size: Math.max(1, fitting.length), keyOf: ({ name }) => name });
  return {
    files: page.items.map(({ message }) => message),
    nextPageToken: page.nextPageToken,
    snapshot: source.snapshot,
    isArchived: found.isArchived,
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || '/';
}

async function* findFiles(
  { browser }: BrowseParts,
  { host, snapshot, pattern, types }: FindFilesRequest,
  signal: AbortSignal,
): AsyncGenerator<FindFilesResponse> {
  requireText('host', host);
  requireText('pattern', pattern);
  const wanted = types.map(toEntryType);
  const searched = snapshot === '' ? await browser.snapshots(host) : [await browser.snapshot(host, snapshot)];
  const task = { sources: searched.map(({ source }) => source), pattern, types: wanted };
  const name = (index: number): string => searched[index]?.record.name ?? '';
  for await (const batch of browser.look('find', { hosts: [host], task }, signal)) {
    const skipped = batch.flatMap((step) =>
      step.kind === 'skipped' ? [{ snapshot: name(step.source), message: step.message }] : [],
    );
    const last = batch.findLast((step) => step.kind === 'progress');
    const progress = last && {
      snapshot: name(last.source),
      entries: last.entries,
      snapshotsDone: last.source,
      snapshotCount: searched.length,
    };
    const found = batch.flatMap((step) =>
      step.kind === 'found' ? [{ snapshot: name(step.source), file: toFileMessage(step.entry) }] : [],
    );
    for (const piece of cutBySize(found, ({ file }) => sizeOfFile(file)))
      yield { found: piece, progress: undefined, skipped: [] };
    if (progress || skipped.length > 0) yield { found: [], progress, skipped };
  }
}

async function* listFileVersions(
  { browser }: BrowseParts,
  { host, path }: ListFileVersionsRequest,
  signal: AbortSignal,
): AsyncGenerator<ListFileVersionsResponse> {
  const task = { path: readPathRequest(requireText('path', path)) };
  const snapshots = (await browser.snapshots(requireText('host', host))).toReversed();
  const sources = snapshots.map(({ source }) => source);
  for await (const batch of browser.look('history', { hosts: [host], task: { ...task, sources } }, signal)) {
    const versions = batch.flatMap(({ source, kind, entry, changes, message }) => {
      const found = snapshots[source];
      if (!found) return [];
      return [
        {
          snapshot: toSnapshotMessage(found.record),
          isArchived: found.isArchived,
          state: toVersionState(kind),
          file: entry ? toFileMessage(entry) : undefined,
          changes: toFileChanges(changes),
          message,
        },
      ];
    });
    for (const piece of cutBySize(versions, ({ file }) => 2000 + (file ? sizeOfFile(file) : 0)))
      yield { versions: piece };
  }
}

async function* diffSnapshots(
  { browser }: BrowseParts,
  request: DiffSnapshotsRequest,
  signal: AbortSignal,
): AsyncGenerator<DiffSnapshotsResponse> {
  const path = readPathRequest(request.path);
  const { before, after } = await toCompare(browser, request);
  const task = { before: before.source, after: after.source, path };
  const names = { snapshot: before.record.name, otherSnapshot: after.record.name };
  const hosts = [...new Set([before.record.host, after.record.host])];
  for await (const batch of browser.look('diff', { hosts, task }, signal)) {
    const differences = batch.flatMap((step) =>
      step.kind === 'difference' ? [toDifferenceMessage(step.difference)] : [],
    );
    const sizeOf = ({ before: was, after: is }: (typeof differences)[number]): number =>
      (was ? sizeOfFile(was) : 0) + (is ? sizeOfFile(is) : 0);
    for (const piece of cutBySize(differences, sizeOf))
      yield { differences: piece, progress: undefined, summary: undefined };
    const progress = batch.findLast((step) => step.kind === 'progress');
    const last = batch.findLast((step) => step.kind === 'summary');
    const summary = last && toSummaryMessage(last.summary, names);
    if (progress || summary)
      yield { differences: [], progress: progress && { entries: progress.entries }, summary };
  }
}

/** Throws NO_SNAPSHOT when a host has but one and two are needed. */
async function toCompare(
  browser: BrowseParts['browser'],
  { host, snapshot, otherHost, otherSnapshot }: DiffSnapshotsRequest,
): Promise<{ before: FoundSnapshot; after: FoundSnapshot }> {
  requireText('host', host);
  const after = await browser.snapshot(otherHost || host, otherSnapshot);
  if (snapshot !== '') return { before: await browser.snapshot(host, snapshot), after };
  const before = (await browser.snapshots(host)).find(
    ({ record }) => record.name < after.record.name || record.host !== after.record.host,
  );
  if (!before) throw new BusyError('NO_SNAPSHOT', { host, before: after.record.name });
  return { before, after };
}
