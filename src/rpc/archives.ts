/** ArchiveService: snapshots that were turned into tarballs. */
import type { Catalog } from '../control/catalog.js';
import type { RunLifecycle } from '../control/run-lifecycle.js';
import type { ListedTrash } from '../control/trash.js';
import type { DeletedArchive } from '../control/trashed-archives.js';
import type { ArchiveFormat, ArchiveRecord } from '../core/archive.js';
import { BusyError } from '../core/errors.js';
import type { ArchiveStore } from '../core/archive-ports.js';
import { newestAsOf } from '../core/snapshot.js';
import {
  ArchiveFormat as FormatMessage,
  type Archive,
  type ArchiveServiceServer,
} from '../gen/busy/v1/archive_service.js';
import { toRunMessage, toSnapshotMessage } from './convert.js';
import { readPageStart, toPage } from './page.js';
import { longestRequestId, refuseTimeBesideName, requireAtMost, requireText } from './request-shape.js';
import type { CallAdapters } from './stream.js';
import { toTrashMessage } from './trash.js';

export interface ArchiveParts {
  readonly catalog: Pick<Catalog, 'host'>;
  readonly archives: Pick<ArchiveStore, 'get' | 'list'>;
  /** What `control/trashed-archives.ts` does. */
  readonly deleteArchive: (
    host: string,
    name: string,
    by: string,
  ) => Promise<DeletedArchive & { readonly entry: ListedTrash | null }>;
  readonly lifecycle: Pick<RunLifecycle, 'trigger' | 'progress'>;
}

export function archiveHandlers(parts: ArchiveParts, calls: CallAdapters): ArchiveServiceServer {
  const { archives, catalog } = parts;
  const trigger = async (
    kind: 'archive' | 'verify-archive',
    { host, name, requestId }: { readonly host: string; readonly name: string; readonly requestId: string },
  ) => {
    const run = await parts.lifecycle.trigger({
      kind,
      host,
      snapshot: name || null,
      requestId: requireAtMost('request_id', requestId, longestRequestId) || null,
    });
    return { run: toRunMessage(run, parts.lifecycle.progress(run.id)) };
  };
  return {
    archive: calls.unary((request) => {
      requireText('host', request.host);
      return trigger('archive', request);
    }),
    listArchives: calls.unary(async (request, caller) => {
      const { size, after } = readPageStart('archives', request);
      if (request.host !== '') catalog.host(request.host);
      const [name = '', host = ''] = after?.split('/') ?? [];
      const found = await archives.list({
        ...(request.host !== '' && { host: request.host }),
        ...(caller.hosts && { hosts: [...caller.hosts] }),
        ...(after !== null && { after: { name, host } }),
        limit: size + 1,
      });
      const page = toPage('archives', found, { size, keyOf: (archive) => `${archive.name}/${archive.host}` });
      return { archives: page.items.map(toArchiveMessage), nextPageToken: page.nextPageToken };
    }),
    getArchive: calls.unary(async ({ host, name, asOf }) => {
      refuseTimeBesideName(name, asOf);
      const archive = await (asOf ? archiveAsOf(parts, host, asOf) : requireArchive(parts, host, name));
      return { archive: toArchiveMessage(archive) };
    }),
    deleteArchive: calls.unary(async ({ host, name }, caller) => {
      const { archive, entry, left } = await parts.deleteArchive(
        requireText('host', host),
        requireText('name', name),
        caller.name,
      );
      const inTrash = entry ? toTrashMessage(entry) : undefined;
      return { archive: toArchiveMessage(archive), leftBehind: left ?? '', entry: inTrash };
    }),
    verifyArchive: calls.unary(async (request) => {
      const { name } = catalog.host(requireText('host', request.host));
      if (request.name !== '') await requireArchive(parts, name, request.name);
      else if ((await archives.list({ host: name, limit: 1 })).length === 0)
        throw new BusyError('NO_ARCHIVES', { host: name });
      return trigger('verify-archive', request);
    }),
  };
}

async function requireArchive(
  { archives }: ArchiveParts,
  host: string,
  name: string,
): Promise<ArchiveRecord> {
  const archive = await archives.get(requireText('host', host), requireText('name', name));
  if (archive) return archive;
  throw new BusyError('ARCHIVE_NOT_FOUND', { host, snapshot: name });
}

/** Throws HOST_NOT_FOUND or ARCHIVE_NOT_FOUND. */
async function archiveAsOf(
  { archives, catalog }: ArchiveParts,
  hostName: string,
  asOf: Date,
): Promise<ArchiveRecord> {
  const { name: host } = catalog.host(requireText('host', hostName));
  const all = await archives.list({ host });
  const newest = newestAsOf(
    all.map(({ snapshot }) => snapshot),
    asOf,
  );
  const archive = all.find(({ snapshot }) => snapshot === newest);
  if (archive) return archive;
  throw new BusyError('ARCHIVE_NOT_FOUND', { host, snapshot: '', asOf: asOf.toISOString() });
}

const formats: Readonly<Record<ArchiveFormat, FormatMessage>> = {
  'tar.gz': FormatMessage.TAR_GZ,
  'tar.zst': FormatMessage.TAR_ZST,
};

function toArchiveMessage(archive: ArchiveRecord): Archive {
  const { host, name, path, bytes, sha256, archivedAt, runId, damage, copyPath } = archive;
  return {
    host,
    name,
    path,
    bytes,
    sha256,
    archivedAt,
    runId,
    damage,
    copyPath,
    format: formats[archive.format],
    snapshot: toSnapshotMessage(archive.snapshot),
    manifest: archive.manifest ?? undefined,
    verifiedAt: archive.verifiedAt ?? undefined,
  };
}
