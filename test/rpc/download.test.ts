import { afterEach, describe, expect, it } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import type { DownloadRequest } from '../../src/control/downloads.js';
import { BusyError } from '../../src/core/errors.js';
import {
  DownloadFormat,
  type DownloadFilesRequest,
  type DownloadFilesResponse,
} from '../../src/gen/busy/v1/download.js';
import { SnapshotServiceClient } from '../../src/gen/busy/v1/snapshot_service.js';
import type { RpcParts } from '../../src/rpc/server.js';
import { errorInfoOf, type Running, startServer } from './fixture.js';

let running: Running;
let directory: string;
afterEach(async () => {
  await running.close();
  await rm(directory, { recursive: true });
});

const request = {
  host: 'web1',
  snapshot: '2026-11-22_20-00-05i',
  paths: ['/etc/'],
  format: DownloadFormat.TAR,
};

async function ask(
  download: RpcParts['downloads']['download'],
  changes: Partial<DownloadFilesRequest> = {},
): Promise<{ got: DownloadFilesResponse[]; error: ServiceError | null }> {
  directory = await mkdtemp(join(tmpdir(), 'busy-rpc-'));
  running = await startServer({ downloads: { download } }, { kind: 'unix', path: join(directory, 'sock') });
  const client = new SnapshotServiceClient(running.address, credentials.createInsecure());
  const got: DownloadFilesResponse[] = [];
  try {
    for await (const message of client.downloadFiles({ ...request, ...changes })) got.push(message as never);
    return { got, error: null };
  } catch (error) {
    return { got, error: error as ServiceError };
  } finally {
    client.close();
  }
}

describe('DownloadFiles', () => {
  it('tells what comes, and then sends it', async () => {
    const asked: DownloadRequest[] = [];
    const { got, error } = await ask(async function* (wanted) {
      asked.push(wanted);
      yield {
        start: {
          name: 'x.tar',
          format: 'tar',
          sizeBytes: null,
          damagedFileCount: 1,
          damagedPaths: ['/etc/\xff'],
          losses: 'an attribute',
        },
      };
      yield { data: new Uint8Array([1, 2]) };
    });
    expect(error).toBeNull();
    expect(asked).toEqual([{ host: 'web1', snapshot: request.snapshot, paths: ['/etc'], format: 'tar' }]);
    expect(got).toMatchObject([
      {
        start: {
          name: 'x.tar',
          format: DownloadFormat.TAR,
          contentType: 'application/x-tar',
          sizeBytes: undefined,
          damagedFileCount: 1,
          damagedPaths: ['/etc/\\#377'],
          losses: 'an attribute',
        },
      },
      { start: undefined, data: Buffer.from([1, 2]) },
    ]);
  });

  it('ends with the reason when it breaks off', async () => {
    const { got, error } = await ask(async function* () {
      yield { data: new Uint8Array([1]) };
      throw new BusyError('DOWNLOAD_BROKEN', { snapshot: 's', detail: 'the disk is gone' });
    });
    expect(got).toHaveLength(1);
    expect(error && errorInfoOf(error)).toMatchObject({ reason: 'DOWNLOAD_BROKEN' });
  });

  it.each([
    [{ paths: [] }, 'INVALID_ARGUMENT'],
    [{ paths: ['/etc/../..'] }, 'PATH_REFUSED'],
    [{ snapshot: '' }, 'INVALID_ARGUMENT'],
    [{ format: 9 as DownloadFormat }, 'INVALID_ARGUMENT'],
  ])('refuses %j', async (changes, reason) => {
    const { error } = await ask(async function* () {}, changes);
    expect(error && errorInfoOf(error)).toMatchObject({ reason });
  });
});
