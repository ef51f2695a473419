/** DownloadFiles of the SnapshotService. */
import type { Downloads } from '../control/downloads.js';
import { showPath } from '../core/byte-path.js';
import type { DownloadFormat, DownloadStart } from '../core/download.js';
import { BusyError } from '../core/errors.js';
import { readPathRequest } from '../core/path-request.js';
import {
  DownloadFormat as FormatMessage,
  type DownloadFilesRequest,
  type DownloadFilesResponse,
  type DownloadStart as StartMessage,
} from '../gen/busy/v1/download.js';
import { requireText } from './request-shape.js';

const mostPaths = 10_000;

export async function* downloadFiles(
  downloads: Pick<Downloads, 'download'>,
  request: DownloadFilesRequest,
  signal: AbortSignal,
): AsyncGenerator<DownloadFilesResponse> {
  const { paths } = request;
  if (paths.length === 0 || paths.length > mostPaths)
    throw new BusyError('INVALID_ARGUMENT', { field: 'paths', problem: `must name 1 to ${mostPaths} paths` });
  const wanted = {
    host: requireText('host', request.host),
    snapshot: requireText('snapshot', request.snapshot),
    paths: paths.map(readPathRequest),
    format: toFormat(request.format),
  };
  for await (const step of downloads.download(wanted, signal)) {
    if ('start' in step) yield { start: toStartMessage(step.start), data: nothing };
    else yield { start: undefined, data: asBuffer(step.data) };
  }
}

const nothing = Buffer.alloc(0);

function asBuffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function toStartMessage(start: DownloadStart): StartMessage {
  return {
    name: start.name,
    format: formatMessages[start.format],
    contentType: contentTypes[start.format],
    sizeBytes: start.sizeBytes ?? undefined,
    damagedFileCount: start.damagedFileCount,
    damagedPaths: start.damagedPaths.map(showPath),
    losses: start.losses,
  };
}

const formatMessages: Readonly<Record<DownloadFormat, FormatMessage>> = {
  auto: FormatMessage.UNSPECIFIED,
  file: FormatMessage.FILE,
  tar: FormatMessage.TAR,
  'tar.gz': FormatMessage.TAR_GZ,
};

const contentTypes: Readonly<Record<DownloadStart['format'], string>> = {
  file: 'application/octet-stream',
  tar: 'application/x-tar',
  'tar.gz': 'application/gzip',
};

function toFormat(message: FormatMessage): DownloadFormat {
  const found = Object.entries(formatMessages).find(([, value]) => value === message);
  if (!found) throw new BusyError('INVALID_ARGUMENT', { field: 'format', problem: 'is not known' });
  return found[0] as DownloadFormat;
}
