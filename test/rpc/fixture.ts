/** A real server on loopback over hand-made parts, and real clients. */
import { DatabaseState } from '../../src/gen/busy/v1/daemon_service.js';
import path from 'node:path';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import type { Endpoint } from '../../src/core/endpoint.js';
import { queuedRun } from '../../src/control/run-ends.js';
import type { Caller } from '../../src/core/caller.js';
import { BusyError } from '../../src/core/errors.js';
import { BackupServiceClient } from '../../src/gen/busy/v1/backup_service.js';
import { ErrorInfo } from '../../src/gen/google/rpc/error_details.js';
import { Status } from '../../src/gen/google/rpc/status.js';
import { createRpcServer, type RpcParts, type RpcServer } from '../../src/rpc/server.js';
import { fakeBrowser } from './fake-browser.js';
import { sampleHost, sampleProgress, sampleRun, sampleSnapshot, sampleTrash } from './samples.js';

export const descriptorFile = path.resolve(import.meta.dirname, '../../src/gen/busy.binpb');

export interface Running {
  readonly server: RpcServer;
  /** `127.0.0.1:PORT`, or `unix:PATH`. */
  readonly address: string;
  readonly client: BackupServiceClient;
  readonly logged: Readonly<Record<string, unknown>>[];
  close(): Promise<void>;
}

const anyTcpPort: Endpoint = { kind: 'tcp', host: '127.0.0.1', port: 0, isTls: false };

export const sampleCaller: Caller = {
  name: 'tester',
  role: 'admin',
  hosts: null,
  proof: { kind: 'token', id: 'abcdefghijkl' },
  address: '127.0.0.1',
};

/** Starts a server; close it with `close`. */
export async function startServer(
  changes: Partial<RpcParts> = {},
  endpoint: Endpoint = anyTcpPort,
): Promise<Running> {
  const logged: Readonly<Record<string, unknown>>[] = [];
  const log = { error: (_: string, fields: Readonly<Record<string, unknown>>) => void logged.push(fields) };
  const server = await createRpcServer({ ...fakeParts(), log, ...changes });
  const [bound = ''] = await server.listen([endpoint]);
  const address = bound.replace('tcp://', '');
  const client = new BackupServiceClient(address, credentials.createInsecure());
  const close = async (): Promise<void> => {
    client.close();
    await server.stop(0);
  };
  return { server, address, client, logged, close };
}

/** A method as the generated code describes it. */
interface Method<Q, A> {
  readonly path: string;
  readonly requestSerialize: (request: Q) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => A;
}

/** A unary call as a promise. */
export function call<Q, A>(
  { client }: Pick<Running, 'client'>,
  method: Method<Q, A>,
  request: Q,
): Promise<A> {
  const { requestSerialize, responseDeserialize } = method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(method.path, requestSerialize, responseDeserialize, request, (error, answer) => {
      if (answer === undefined) reject(error ?? new Error('There is neither an answer nor an error.'));
      else resolve(answer);
    });
  });
}

/** What a failed call says in its ErrorInfo; undefined when it has none. */
export function errorInfoOf(error: ServiceError): ErrorInfo | undefined {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!(bytes instanceof Buffer)) return undefined;
  const [detail] = Status.decode(bytes).details;
  return detail?.typeUrl === 'type.googleapis.com/google.rpc.ErrorInfo'
    ? ErrorInfo.decode(detail.value)
    : undefined;
}

/** The error of a call that must fail. */
export async function failureOf(answer: Promise<unknown>): Promise<ServiceError> {
  return answer.then(
    () => {
      throw new Error('The call succeeded.');
    },
    (error: ServiceError) => error,
  );
}

export function fakeParts(): RpcParts {
  const hosts = ['db1', 'web1', 'web2'].map(sampleHost);
  const snapshots = ['2026-11-22_20-00-05i', '2026-11-21_20-00-05f'].flatMap((name) =>
    ['db1', 'web1'].map((host) => sampleSnapshot(host, name)),
  );
  const host = (name: string): ReturnType<typeof sampleHost> => {
    const found = hosts.find((candidate) => candidate.name === name);
    if (!found) throw new BusyError('HOST_NOT_FOUND', { host: name });
    return found;
  };
  const times = [1_795_000_000_000, 1_795_000_000_250];
  return {
    catalog: {
      hosts: () => hosts,
      host,
      snapshots: (name) =>
        name === undefined ? snapshots : snapshots.filter((snapshot) => snapshot.host === host(name).name),
    },
    browser: fakeBrowser({ host, snapshots }),
    lifecycle: {
      trigger: async (request) =>
        queuedRun({ id: sampleRun(9).id, request, now: sampleRun(9).createdAt, revision: 9 }),
      cancel: async (id) => sampleRun(9, { id, state: 'CANCELLING' }),
      get: async (id) => {
        throw new BusyError('RUN_NOT_FOUND', { run: id });
      },
      list: async () => [],
      progress: () => sampleProgress,
      lastRun: (name) => (name === 'web1' ? sampleRun(1) : null),
      failuresInRow: () => 0,
      activeRuns: () => [],
    },
    enrollment: {
      scan: refuseChange,
      pin: refuseChange,
      prepare: refuseChange,
      check: async () => [],
      importKeys: async () => [],
    },
    checkServer: async () => [],
    held: {
      acknowledge: async (name, snapshot) => ({ ...sampleSnapshot(name, snapshot), heldFor: [] }),
      discard: async (name, snapshot) => sampleSnapshot(name, snapshot),
    },
    driller: { historyOf: () => ({ last: null, proof: null }) },
    downloads: { download: async function* () {} },
    deleteSnapshot: async (name, snapshot, { by }) => ({ ...sampleTrash, host: name, snapshot, putBy: by }),
    trash: {
      list: async () => [sampleTrash],
      restore: async (id) => ({ ...sampleTrash, id }),
      empty: async (id) => [{ ...sampleTrash, id: id ?? sampleTrash.id }],
    },
    pruner: {
      judge: async () => ({ verdicts: [], frozen: '' }),
      prune: async () => ({ verdicts: [], frozen: '', removedCount: 0 }),
    },
    archives: { get: async () => null, list: async () => [] },
    deleteArchive: async (name, snapshot) => {
      throw new BusyError('ARCHIVE_NOT_FOUND', { host: name, snapshot });
    },
    audit: { begin: async () => async () => {}, refuse: async () => {}, turnAway: async () => {} },
    auditTrail: {
      list: async () => [],
      verify: async () => {
        throw new BusyError('INTERNAL', { what: 'not in this test' });
      },
    },
    events: { watch: async function* () {} },
    streamLog: async function* () {},
    executor: {
      probe: async () => ({
        address: '192.0.2.10',
        hostKeyFingerprint: 'SHA256:abc',
        hostname: 'web1',
        rsyncVersion: '3.2.7',
        sshSoftware: 'OpenSSH_9.2',
      }),
    },
    registry: {
      kind: 'file',
      originOf: async (name) => {
        host(name);
        return { kind: 'file' };
      },
      settingsInEffect: () => [],
      defaults: { file: '/etc/busy.yaml', settings: [] },
      create: refuseChange,
      update: refuseChange,
      remove: refuseChange,
    },
    scheduler: {
      nextAt: () => null,
      explain: async () => ({
        decision: {
          isDue: true,
          isOnSchedule: true,
          isWindowOpen: true,
          type: { type: 'full', reason: 'there is no full snapshot yet' },
          reasons: ['there is no snapshot yet'],
          nextAt: null,
          noUntil: null,
          overdue: Infinity,
        },
        presence: { isOnline: false, reason: 'no SSH server answers at 192.0.2.10' },
        isBusy: false,
        waitsFor: 'the host to come online',
      }),
    },
    spaceReporter: { measure: async function* () {} },
    space: { assess: async () => ({ fits: false, reason: '1 KiB is free' }) },
    clock: { now: () => new Date(times.shift() ?? 0) },
    diskWatch: { forecastOf: () => null },
    daemonInfo: async () => ({
      caller: undefined,
      version: '0.1.0',
      startedAt: new Date(1_795_000_000_000),
      pid: 42,
      configFile: '/etc/busy.yaml',
      stateDir: '/var/lib/busy',
      database: 'sqlite',
      databaseState: DatabaseState.OK,
      databaseUnavailableSince: undefined,
      otherDaemons: [],
      endpoints: ['unix:/run/busy/busyd.sock'],
      metricsAddress: '',
      hostCount: 3,
      oldestUnverified: undefined,
      unverifiableSnapshots: 0,
      damagedSnapshots: 0,
      verificationsRunning: 0,
      auditSequence: 12,
      auditHash: 'ab12',
      runsQueued: 1,
      runsRunning: 2,
      maxRunning: 4,
      executors: 1,
      rsyncVersion: '3.5.0',
      memoryBytes: 90_000_000,
      reserve: { bytes: 0, wantedBytes: 1024, releasedSince: undefined },
      confinement: undefined,
      disks: [
        {
          backupdir: '/srv/backup',
          freeBytes: 1,
          totalBytes: Number.MAX_SAFE_INTEGER,
          freeInodes: 90,
          totalInodes: 100,
          forecast: undefined,
        },
      ],
    }),
    metricsText: async () => 'busy_hosts 3\n',
    noteCall: () => undefined,
    reload: async () => ({ hostCount: 3, needsRestart: [] }),
    sendTestMail: async (to) => [to === '' ? 'root' : to],
    access: {
      identify: async () => ({ caller: sampleCaller }),
      refresh: async () => undefined,
      confirm: () => undefined,
    },
    tokens: { create: refuseChange, list: async () => [], revoke: refuseChange },
    endpointSettings: { socketGroup: '', tls: null, log: { info: () => undefined, error: () => undefined } },
    hasReflection: true,
    descriptorFile,
    log: { error: () => undefined },
  };
}

async function refuseChange(): Promise<never> {
  throw new BusyError('HOSTS_IN_FILE', { file: '/etc/busy.yaml' });
}
