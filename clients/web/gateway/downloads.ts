/**
 * Files of snapshots and logs of runs as downloads of the browser. They are passed on as fast as the browser takes them;
 * what breaks in the middle breaks the download, so that nothing half is taken for whole.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { BackupService } from '../gen/busy/v1/backup_service_pb.js';
import { SnapshotService } from '../gen/busy/v1/snapshot_service_pb.js';
import { headersFor, type Visitor } from './forwarding.js';

export interface Download {
  readonly daemon: Transport;
  readonly visitor: Visitor;
  readonly response: ServerResponse;
}

/** Answers `download?host=H&snapshot=S&path=P&path=Q`. */
export async function sendFiles(query: URLSearchParams, download: Download): Promise<void> {
  await send(download, async function* (options) {
    const request = {
      host: query.get('host') ?? '',
      snapshot: query.get('snapshot') ?? '',
      paths: query.getAll('path'),
    };
    for await (const part of createClient(SnapshotService, download.daemon).downloadFiles(request, options)) {
      if (part.start) {
        const { name, contentType, sizeBytes } = part.start;
        yield { name, contentType, ...(sizeBytes === undefined ? {} : { size: sizeBytes }) };
      } else yield part.data;
    }
  });
}

/** Answers the log of a run, as it is by now. */
export async function sendLog(runId: string, download: Download): Promise<void> {
  await send(download, async function* (options) {
    const log = createClient(BackupService, download.daemon).streamLogs({ runId }, options);
    yield { name: `${runId}.log`, contentType: 'text/plain; charset=utf-8' };
    for await (const { lines } of log) yield Buffer.from(lines.map((line) => `${line}\n`).join(''));
  });
}

interface Start {
  readonly name: string;
  readonly contentType: string;
  readonly size?: bigint;
}

type Source = (options: {
  readonly headers: Headers;
  readonly signal: AbortSignal;
}) => AsyncGenerator<Start | Uint8Array>;

async function send({ visitor, response }: Download, source: Source): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, visitor.ended]);
  try {
    for await (const part of source({ headers: headersFor(visitor), signal })) {
      if (!(part instanceof Uint8Array)) writeHead(response, part);
      else if (!response.write(part)) await once(response, 'drain', { signal });
    }
    response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    if (response.headersSent) response.destroy();
    else refuse(response, ConnectError.from(error));
  }
}

function writeHead(response: ServerResponse, { name, contentType, size }: Start): void {
  response.writeHead(200, {
    // Never shown in the page's own origin, whatever a host has put into a file.
    'content-type': contentType.startsWith('text/plain') ? contentType : 'application/octet-stream',
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name).replaceAll("'", '%27')}`,
    'content-security-policy': "default-src 'none'; sandbox",
    'cache-control': 'no-store',
    ...(size === undefined ? {} : { 'content-length': String(size) }),
  });
}

function refuse(response: ServerResponse, { code, rawMessage }: ConnectError): void {
  const isMissing = code === Code.NotFound;
  const isDenied = code === Code.PermissionDenied || code === Code.Unauthenticated;
  response
    .writeHead(isMissing ? 404 : isDenied ? 403 : 502, { 'content-type': 'text/plain; charset=utf-8' })
    .end(`${rawMessage}\n`);
}
