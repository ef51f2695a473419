/** The calls of ArchiveService, against the daemon of a test bed. */
import { credentials } from '@grpc/grpc-js';
import {
  ArchiveServiceClient,
  ArchiveServiceService,
  type Archive,
} from '../../src/gen/busy/v1/archive_service.js';
import type { Run } from '../../src/gen/busy/v1/run.js';
import { callMethod } from './grpc-calls.js';
import type { TestBed } from './test-bed.js';

/** Archives a snapshot, or all that are due, and waits for the end. */
export async function archive(bed: TestBed, host: string, name = ''): Promise<Run> {
  const request = { host, name, requestId: '' };
  const { run } = await withClient(bed, (client) =>
    callMethod(client, ArchiveServiceService.archive, request),
  );
  return bed.waitForRun(run?.id ?? '');
}

/** Newest first; of all hosts, when none is named. */
export async function listArchives(bed: TestBed, host = ''): Promise<Archive[]> {
  const page = { host, pageSize: 0, pageToken: '' };
  const { archives } = await withClient(bed, (client) =>
    callMethod(client, ArchiveServiceService.listArchives, page),
  );
  return archives;
}

export async function deleteArchive(bed: TestBed, host: string, name: string): Promise<void> {
  await withClient(bed, (client) => callMethod(client, ArchiveServiceService.deleteArchive, { host, name }));
}

async function withClient<T>(bed: TestBed, work: (client: ArchiveServiceClient) => Promise<T>): Promise<T> {
  const client = new ArchiveServiceClient(`unix:${bed.socket}`, credentials.createInsecure());
  try {
    return await work(client);
  } finally {
    client.close();
  }
}
