/** A gRPC server on a unix socket that answers what a test gives it; stands in for busyd. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Metadata,
  Server,
  ServerCredentials,
  type status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import {
  ArchiveServiceService,
  type ArchiveServiceServer,
} from '../../../src/gen/busy/v1/archive_service.js';
import { AuditServiceService, type AuditServiceServer } from '../../../src/gen/busy/v1/audit_service.js';
import { BackupServiceService, type BackupServiceServer } from '../../../src/gen/busy/v1/backup_service.js';
import { DaemonServiceService, type DaemonServiceServer } from '../../../src/gen/busy/v1/daemon_service.js';
import { HostServiceService, type HostServiceServer } from '../../../src/gen/busy/v1/host_service.js';
import {
  SnapshotServiceService,
  type SnapshotServiceServer,
} from '../../../src/gen/busy/v1/snapshot_service.js';
import { TrashServiceService, type TrashServiceServer } from '../../../src/gen/busy/v1/trash_service.js';
import { ErrorInfo } from '../../../src/gen/google/rpc/error_details.js';
import { Status } from '../../../src/gen/google/rpc/status.js';

export type Answers = Partial<
  ArchiveServiceServer &
    AuditServiceServer &
    BackupServiceServer &
    DaemonServiceServer &
    HostServiceServer &
    SnapshotServiceServer &
    TrashServiceServer
>;

export interface FakeDaemon {
  readonly endpoint: string;
  /** Ends the server in the middle of all calls; `start` brings it back at the same place. */
  kill(): void;
  start(answers: Answers): Promise<void>;
  close(): Promise<void>;
}

export async function startFakeDaemon(answers: Answers): Promise<FakeDaemon> {
  const directory = await mkdtemp(join(tmpdir(), 'busy-cli-'));
  const endpoint = `unix:${join(directory, 'busyd.sock')}`;
  let server = await listen(endpoint, answers);
  return {
    endpoint,
    kill: () => server.forceShutdown(),
    start: async (next) => {
      server = await listen(endpoint, next);
    },
    close: async () => {
      server.forceShutdown();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** An error as busyd sends it. */
export function refusal(code: status, reason: string, message: string, advice: string) {
  const info = ErrorInfo.create({ reason, domain: 'busy', metadata: { advice } });
  const value = Buffer.from(ErrorInfo.encode(info).finish());
  const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value }];
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode({ code, message, details }).finish()));
  return { code, details: message, metadata };
}

async function listen(endpoint: string, answers: Answers): Promise<Server> {
  const server = new Server();
  const services = [
    ArchiveServiceService,
    AuditServiceService,
    BackupServiceService,
    DaemonServiceService,
    HostServiceService,
    SnapshotServiceService,
    TrashServiceService,
  ];
  for (const service of services) {
    // What has no answer is UNIMPLEMENTED.
    const named: UntypedServiceImplementation = {};
    for (const [name, answer] of Object.entries(answers)) {
      if (name in service && answer !== undefined) named[name] = answer;
    }
    server.addService(service, named);
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(endpoint, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return server;
}
