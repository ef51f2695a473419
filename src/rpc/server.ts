/**
 * The gRPC server: all services, health and reflection on one or more endpoints. It only converts and transports;
 * whatever is decided is decided by the parts that it is given.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { formatEndpoint, hostAndPort, type Endpoint } from '../core/endpoint.js';
import { BackupServiceService } from '../gen/busy/v1/backup_service.js';
import { DaemonServiceService } from '../gen/busy/v1/daemon_service.js';
import { HostServiceService } from '../gen/busy/v1/host_service.js';
import { SnapshotServiceService } from '../gen/busy/v1/snapshot_service.js';
import { TrashServiceService } from '../gen/busy/v1/trash_service.js';
import {
  type ServerReflectionRequest,
  ServerReflectionService,
} from '../gen/grpc/reflection/v1/reflection.js';
import { backupHandlers, type BackupParts } from './backups.js';
import { daemonHandlers, type DaemonParts } from './daemon-info.js';
import { EndpointError, refuseBeyondLoopback } from './endpoint.js';
import { hostHandlers, type HostParts } from './hosts.js';
import { answerReflection, readDescriptors } from './reflection.js';
import { snapshotHandlers, type SnapshotParts } from './snapshots.js';
import type { RpcLog } from './status.js';
import { type CallAdapters, createCallAdapters } from './stream.js';
import { refuseOverTcp } from './tcp-limits.js';
import { trashHandlers, type TrashParts } from './trash.js';
import { bindUnixSocket } from './unix-socket.js';

export type RpcParts = HostParts &
  BackupParts &
  SnapshotParts &
  TrashParts &
  DaemonParts & {
    /** The descriptor set that reflection answers from. */
    readonly descriptorFile: string;
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
  /**
   * Ends long streams, waits at most `limitMs` for calls that are carried out, closes all connections and removes
   * the sockets. Stopping twice changes nothing.
   */
  stop(limitMs?: number): Promise<void>;
}

const options = {
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  'grpc.max_concurrent_streams': 256,
  /** Megabytes that one connection may make the daemon hold. */
  'grpc-node.max_session_memory': 32,
  // A client that vanished without a word is noticed, and its streams end.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
};

/** Builds the server; it listens nowhere yet. Throws when the descriptor set cannot be read. */
export async function createRpcServer(parts: RpcParts): Promise<RpcServer> {
  const servers: Servers = {
    unix: new Server(options),
    tcp: new Server({ ...options, interceptors: [refuseOverTcp(parts.log)] }),
  };
  const calls = createCallAdapters(parts.log);
  const descriptors = await readDescriptors(parts.descriptorFile);
  const healthNames = ['', ...descriptors.services];
  const health = new HealthImplementation(Object.fromEntries(healthNames.map((name) => [name, 'SERVING'])));
  const reflect = calls.answerEach((request: ServerReflectionRequest) =>
    answerReflection(descriptors, request),
  );
  for (const server of [servers.unix, servers.tcp]) {
    server.addService(HostServiceService, hostHandlers(parts, calls));
    server.addService(BackupServiceService, backupHandlers(parts, calls));
    server.addService(SnapshotServiceService, snapshotHandlers(parts, calls));
    server.addService(TrashServiceService, trashHandlers(parts, calls));
    server.addService(DaemonServiceService, daemonHandlers(parts, calls));
    health.addToServer(server);
    server.addService(ServerReflectionService, { serverReflectionInfo: reflect });
    server.addService(olderReflectionService, { serverReflectionInfo: reflect });
  }

  let isStopping = false;
  const sockets: (() => Promise<void>)[] = [];
  const stop = async (limitMs = 5000): Promise<void> => {
    isStopping = true;
    for (const name of healthNames) health.setStatus(name, 'NOT_SERVING');
    await shutDown([servers.unix, servers.tcp], calls, limitMs);
    for (const remove of sockets.splice(0)) await remove();
  };
  return {
    listen: async (endpoints) => {
      try {
        const bound: string[] = [];
        for (const endpoint of endpoints) bound.push(await listenOn(servers, endpoint, sockets));
        return bound;
      } catch (error) {
        await stop(0);
        throw error;
      }
    },
    setHealthy: (isHealthy) => {
      if (!isStopping) health.setStatus('', isHealthy ? 'SERVING' : 'NOT_SERVING');
    },
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

/** One for each kind of endpoint: of a call alone nobody could tell for sure which way it came. */
type Servers = Readonly<Record<Endpoint['kind'], Server>>;

async function listenOn(
  servers: Servers,
  endpoint: Endpoint,
  sockets: (() => Promise<void>)[],
): Promise<string> {
  refuseBeyondLoopback(endpoint);
  const text = formatEndpoint(endpoint);
  if (endpoint.kind === 'tcp') {
    const port = await bind(servers.tcp, hostAndPort(endpoint), text);
    return formatEndpoint({ ...endpoint, port });
  }
  const remove = await bindUnixSocket(endpoint.path, async (temporary) => {
    await bind(servers.unix, `unix:${temporary}`, text);
  });
  sockets.push(remove);
  return text;
}

function bind(server: Server, address: string, configured: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (!error) return resolve(port);
      const message = `The daemon cannot listen on ${configured}: ${error.message}. Stop what listens there, or choose another endpoint.`;
      reject(new EndpointError(message, { cause: error }));
    });
  });
}

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
