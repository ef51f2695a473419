/**
 * The gRPC server: all services, health and reflection on one or more endpoints. It only converts and transports;
 * whatever is decided is decided by the parts that it is given.
 */
import { Server, type ServerOptions } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Access } from '../control/access.js';
import type { Audit } from '../control/audit.js';
import type { RunLifecycle } from '../control/run-lifecycle.js';
import type { EndedCall } from '../core/ended-call.js';
import type { Endpoint } from '../core/endpoint.js';
import { ArchiveServiceService } from '../gen/busy/v1/archive_service.js';
import { AuditServiceService } from '../gen/busy/v1/audit_service.js';
import { BackupServiceService } from '../gen/busy/v1/backup_service.js';
import { DaemonServiceService } from '../gen/busy/v1/daemon_service.js';
import { EnrollmentServiceService } from '../gen/busy/v1/enrollment_service.js';
import { SnapshotServiceService } from '../gen/busy/v1/snapshot_service.js';
import { TrashServiceService } from '../gen/busy/v1/trash_service.js';
import { TokenServiceService } from '../gen/busy/v1/token_service.js';
import {
  type ServerReflectionRequest,
  ServerReflectionService,
} from '../gen/grpc/reflection/v1/reflection.js';
import { archiveHandlers, type ArchiveParts } from './archives.js';
import { auditHandlers, type AuditTrailParts } from './audit.js';
import { backupHandlers, type BackupParts } from './backups.js';
import { createCallMeter } from './call-meter.js';
import { daemonHandlers, type DaemonParts } from './daemon-info.js';
import { Endpoints, type EndpointSettings } from './endpoints.js';
import { createGate } from './gate.js';
import { enrollmentHandlers, type EnrollmentParts } from './enrollment.js';
import { hostHandlers, type HostParts } from './hosts.js';
import { hostService } from './listed-hosts.js';
import { answerReflection, readDescriptors } from './reflection.js';
import { snapshotHandlers, type SnapshotParts } from './snapshots.js';
import type { RpcLog } from './status.js';
import { type CallAdapters, createCallAdapters } from './stream.js';
import { tokenHandlers, type TokenParts } from './tokens.js';
import { trashHandlers, type TrashParts } from './trash.js';

export type RpcParts = HostParts &
  EnrollmentParts &
  BackupParts &
  SnapshotParts &
  ArchiveParts &
  TrashParts &
  AuditTrailParts &
  DaemonParts &
  Omit<TokenParts, 'dismiss'> & {
    readonly lifecycle: Pick<RunLifecycle, 'get'>;
    readonly audit: Pick<Audit, 'begin' | 'refuse' | 'turnAway'>;
    readonly access: Pick<Access, 'identify' | 'refresh' | 'confirm'>;
    readonly endpointSettings: EndpointSettings;
    /** Whether clients may ask for the contract. */
    readonly hasReflection: boolean;
    /** The descriptor set that reflection answers from. */
    readonly descriptorFile: string;
    /** Hears of every call at its end; must not throw. */
    readonly noteCall: (call: EndedCall) => void;
    readonly log: RpcLog;
  };

export interface RpcServer {
  /**
   * Listens on all endpoints and answers them as they are bound (with the real port for port 0).
   * Throws an EndpointError; the server is then stopped.
   */
  listen(endpoints: readonly Endpoint[]): Promise<string[]>;
  /**
   * Whether the daemon as a whole (the empty name in grpc.health.v1) is SERVING. The services by their names always
   * are: each answers, with what it can or with a reason.
   */
  setHealthy(isHealthy: boolean): void;
  /** Ends the streams of callers who would not be let in now, and takes over TLS files that have changed. */
  lookAgain(): Promise<void>;
  /**
   * Ends long streams, waits at most `limitMs` for calls that are carried out, closes all connections and removes
   * the sockets. Stopping twice changes nothing.
   */
  stop(limitMs?: number): Promise<void>;
}

const options: ServerOptions = {
  'grpc.max_receive_message_length': 1024 * 1024,
  'grpc.max_concurrent_streams': 256,
  /** Megabytes that one connection may make the daemon hold. */
  'grpc-node.max_session_memory': 32,
  // A client that vanished without a word is noticed, and its streams end.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // Each call would leave traces in memory that nobody reads.
  'grpc.enable_channelz': 0,
};

/** What strangers can reach is kept shorter. */
const tcpOptions: ServerOptions = {
  ...options,
  'grpc.max_concurrent_streams': 128,
  'grpc-node.max_session_memory': 8,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.max_connection_idle_ms': 600_000,
};

/** Milliseconds between two looks whether those whose streams are open would still be let in. */
const confirmEveryMs = 10_000;

/** Builds the server; it listens nowhere yet. Throws when the descriptor set cannot be read. */
export async function createRpcServer(parts: RpcParts): Promise<RpcServer> {
  const { access, audit, lifecycle, log } = parts;
  const gate = createGate({ access, getRun: (id) => lifecycle.get(id), audit, log });
  // Next to the wire, so that it sees what the gate answers too.
  const meter = createCallMeter(parts.noteCall);
  const servers = {
    unix: new Server({ ...options, interceptors: [meter, gate.interceptor('unix')] }),
    tcp: new Server({ ...tcpOptions, interceptors: [meter, gate.interceptor('tcp')] }),
  };
  const calls = createCallAdapters({ gate, audit }, log);
  const confirmAll = (): void => calls.dismiss((caller) => access.confirm(caller));
  const descriptors = await readDescriptors(parts.descriptorFile);
  const healthNames = ['', ...descriptors.services];
  const health = new HealthImplementation(Object.fromEntries(healthNames.map((name) => [name, 'SERVING'])));
  const reflect = calls.answerEach((request: ServerReflectionRequest) =>
    answerReflection(descriptors, request),
  );
  for (const server of Object.values(servers)) {
    server.addService(hostService, hostHandlers(parts, calls));
    server.addService(BackupServiceService, backupHandlers(parts, calls));
    server.addService(SnapshotServiceService, snapshotHandlers(parts, calls));
    server.addService(ArchiveServiceService, archiveHandlers(parts, calls));
    server.addService(EnrollmentServiceService, enrollmentHandlers(parts, calls));
    server.addService(TrashServiceService, trashHandlers(parts, calls));
    server.addService(AuditServiceService, auditHandlers(parts, calls));
    server.addService(DaemonServiceService, daemonHandlers(parts, calls));
    server.addService(TokenServiceService, tokenHandlers({ ...parts, dismiss: confirmAll }, calls));
    health.addToServer(server);
    if (!parts.hasReflection) continue;
    server.addService(ServerReflectionService, { serverReflectionInfo: reflect });
    server.addService(olderReflectionService, { serverReflectionInfo: reflect });
  }

  let isStopping = false;
  const endpoints = new Endpoints(servers, parts.endpointSettings);
  const lookAgain = async (): Promise<void> => {
    endpoints.lookAgain();
    await access.refresh();
    confirmAll();
  };
  const looks = setInterval(() => {
    // While the database is away all that was known goes on to count.
    if (calls.hasStreams()) lookAgain().catch(() => undefined);
  }, confirmEveryMs).unref();
  const stop = async (limitMs = 5000): Promise<void> => {
    isStopping = true;
    clearInterval(looks);
    for (const name of healthNames) health.setStatus(name, 'NOT_SERVING');
    endpoints.close();
    await shutDown(Object.values(servers), calls, limitMs);
    await endpoints.remove();
  };
  return {
    listen: async (wanted) => {
      try {
        const bound: string[] = [];
        for (const endpoint of wanted) bound.push(await endpoints.listen(endpoint));
        return bound;
      } catch (error) {
        await stop(0);
        throw error;
      }
    },
    setHealthy: (isHealthy) => {
      if (!isStopping) health.setStatus('', isHealthy ? 'SERVING' : 'NOT_SERVING');
    },
    lookAgain,
    stop,
  };
}

/** The same messages under the name that older clients ask for. */
const olderReflectionService = {
  serverReflectionInfo: {
    ...ServerReflectionService.serverReflectionInfo,
    path: '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
  },
};

async function shutDown(servers: readonly Server[], calls: CallAdapters, limitMs: number): Promise<void> {
  const ended = Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.tryShutdown(() => resolve()))),
  );
  // After the listeners are closed, so that no call comes in behind this.
  calls.stop();
  const limit = setTimeout(() => servers.forEach((server) => server.forceShutdown()), limitMs);
  await ended;
  clearTimeout(limit);
}
