import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import type { RunFilter } from '../../src/core/ports.js';
import { BackupServiceService } from '../../src/gen/busy/v1/backup_service.js';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { HostServiceService, Initiator } from '../../src/gen/busy/v1/host_service.js';
import { BackupType, JobState, RunKind, RunState } from '../../src/gen/busy/v1/run.js';
import { Role } from '../../src/gen/busy/v1/token_service.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import {
  call,
  errorInfoOf,
  failureOf,
  fakeParts,
  sampleCaller,
  type Running,
  startServer,
} from './fixture.js';
import { runId, sampleRun } from './samples.js';

let running: Running;
afterEach(() => running.close());

const firstPage = { pageSize: 0, pageToken: '' };

describe('HostService', () => {
  it('lists hosts with their newest snapshot and last run', async () => {
    running = await startServer();
    const { hosts, nextPageToken } = await call(running, HostServiceService.listHosts, firstPage);
    expect(hosts.map((host) => host.name)).toEqual(['db1', 'web1', 'web2']);
    expect(hosts[1]).toMatchObject({
      srcdirs: ['/etc', '/home'],
      initiator: Initiator.CLIENT,
      snapshotCount: 2,
      newestSnapshot: {
        name: '2026-11-22_20-00-05i',
        type: BackupType.INCREMENTAL,
        outcome: RunState.PARTIAL,
        startedAt: new Date(1_795_000_000_001),
        stats: { totalBytes: Number.MAX_SAFE_INTEGER },
      },
      lastRun: { id: runId(1), jobs: [{ missingFiles: [], missingFileCount: 1 }, {}] },
    });
    expect(hosts[2]).toMatchObject({ newestSnapshot: undefined, lastRun: undefined, snapshotCount: 0 });
    expect(nextPageToken).toBe('');
  });

  it('answers one host, or says which it does not know', async () => {
    running = await startServer();
    const { host } = await call(running, HostServiceService.getHost, { name: 'web1' });
    expect(host?.name).toBe('web1');
    const error = await failureOf(call(running, HostServiceService.getHost, { name: 'none' }));
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'There is no host "none".' });
    expect(errorInfoOf(error)).toEqual({
      reason: 'HOST_NOT_FOUND',
      domain: 'busy',
      metadata: { host: 'none', advice: 'List the hosts with: busy hosts' },
    });
  });

  it('probes a host', async () => {
    running = await startServer();
    expect(await call(running, HostServiceService.probeHost, { name: 'web1' })).toEqual({
      address: '192.0.2.10',
      hostKeyFingerprint: 'SHA256:abc',
      hostname: 'web1',
      rsyncVersion: '3.2.7',
      sshSoftware: 'OpenSSH_9.2',
      probedAt: new Date(1_795_000_000_250),
      durationMs: 250,
    });
  });
});

describe('BackupService', () => {
  it.each([
    [BackupType.UNSPECIFIED, BackupType.AUTO],
    [BackupType.AUTO, BackupType.AUTO],
    [BackupType.FULL, BackupType.FULL],
    [BackupType.INCREMENTAL, BackupType.INCREMENTAL],
  ])('triggers a backup of type %i', async (type, requestedType) => {
    running = await startServer();
    const request = { host: 'web1', type, requestId: 'once', acceptChanges: false };
    const { run } = await call(running, BackupServiceService.triggerBackup, request);
    expect(run).toMatchObject({
      host: 'web1',
      requestedType,
      type: BackupType.UNSPECIFIED,
      requestId: 'once',
    });
  });

  it('answers a run with all that is known of it', async () => {
    const lifecycle = { ...fakeParts().lifecycle, get: async () => sampleRun(1) };
    running = await startServer({ lifecycle });
    const { run } = await call(running, BackupServiceService.getRun, { id: runId(1) });
    expect(run).toMatchObject({
      kind: RunKind.BACKUP,
      state: RunState.PARTIAL,
      createdAt: new Date(1_795_000_000_123),
      endedAt: undefined,
      snapshot: '',
      error: { reason: 'DISK_FULL' },
      jobs: [
        {
          state: JobState.PARTIAL,
          exitCode: 0,
          missingFiles: [{ path: '/etc/shadow' }],
          missingFileCount: 1,
        },
        { state: JobState.WAITING, exitCode: undefined, stats: undefined },
      ],
      progress: { percent: 41, bytesPerSecond: 1235, secondsLeft: undefined, currentFile: 'zoë 😀' },
    });
  });

  it('cancels a run', async () => {
    running = await startServer();
    const { run } = await call(running, BackupServiceService.cancelRun, { id: runId(4) });
    expect(run).toMatchObject({ id: runId(4), state: RunState.CANCELLING });
  });

  it('pages runs from the newest to the oldest and passes filters on', async () => {
    const all = Array.from({ length: 25 }, (_, index) => sampleRun(25 - index));
    const asked: RunFilter[] = [];
    const list = async (filter: RunFilter): Promise<ReturnType<typeof sampleRun>[]> => {
      asked.push(filter);
      return all.filter((run) => run.id < (filter.beforeId ?? '~')).slice(0, filter.limit);
    };
    running = await startServer({ lifecycle: { ...fakeParts().lifecycle, list } });
    const seen: string[] = [];
    let pageToken = '';
    do {
      const request = { pageSize: 10, pageToken, host: 'web1', states: [RunState.FAILED, RunState.PARTIAL] };
      const page = await call(running, BackupServiceService.listRuns, request);
      seen.push(...page.runs.map((run) => run.id));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(seen).toEqual(all.map((run) => run.id));
    expect(asked).toEqual([
      { limit: 11, host: 'web1', states: ['FAILED', 'PARTIAL'] },
      { limit: 11, host: 'web1', states: ['FAILED', 'PARTIAL'], beforeId: runId(16) },
      { limit: 11, host: 'web1', states: ['FAILED', 'PARTIAL'], beforeId: runId(6) },
    ]);
  });

  it('asks for 100 by default and for 1000 at most', async () => {
    const limits: unknown[] = [];
    const list = async ({ limit }: RunFilter): Promise<[]> => (limits.push(limit), []);
    running = await startServer({ lifecycle: { ...fakeParts().lifecycle, list } });
    for (const pageSize of [0, 5000]) {
      await call(running, BackupServiceService.listRuns, {
        pageSize,
        pageToken: '',
        host: '',
        states: [],
      });
    }
    expect(limits).toEqual([101, 1001]);
  });
});

describe('SnapshotService', () => {
  it('pages snapshots of all hosts, and lists those of one', async () => {
    running = await startServer();
    const seen: string[] = [];
    let pageToken = '';
    do {
      const request = { pageSize: 1, pageToken, host: '' };
      const page = await call(running, SnapshotServiceService.listSnapshots, request);
      seen.push(...page.snapshots.map((snapshot) => `${snapshot.name} ${snapshot.host}`));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(seen).toEqual([
      '2026-11-22_20-00-05i db1',
      '2026-11-22_20-00-05i web1',
      '2026-11-21_20-00-05f db1',
      '2026-11-21_20-00-05f web1',
    ]);
    const ofOne = { ...firstPage, host: 'web1' };
    const { snapshots } = await call(running, SnapshotServiceService.listSnapshots, ofOne);
    expect(snapshots.map((snapshot) => snapshot.host)).toEqual(['web1', 'web1']);
  });

  it('answers one snapshot, or says which there is not', async () => {
    running = await startServer();
    const name = '2026-11-21_20-00-05f';
    const { snapshot } = await call(running, SnapshotServiceService.getSnapshot, {
      host: 'web1',
      name,
      asOf: undefined,
    });
    expect(snapshot).toMatchObject({ name, linkBases: ['2026-11-20_20-00-05f'], missingFileCount: 3 });
    const missing = { host: 'web2', name, asOf: undefined };
    const error = await failureOf(call(running, SnapshotServiceService.getSnapshot, missing));
    expect(errorInfoOf(error)?.reason).toBe('SNAPSHOT_NOT_FOUND');
  });
});

it('DaemonService answers what the daemon says of itself', async () => {
  running = await startServer();
  const caller = { name: 'tester', role: Role.ADMIN, hosts: [] };
  const said = { ...(await fakeParts().daemonInfo(sampleCaller)), caller };
  expect(await call(running, DaemonServiceService.getDaemonInfo, {})).toEqual(said);
});

describe('a request of a wrong shape', () => {
  // As a newer client may send them: numbers without a name.
  const state = JSON.parse('99') as RunState;
  const type = JSON.parse('99') as BackupType;
  const runs = { ...firstPage, host: '', states: [] };
  const backup = { host: 'web1', type: 0, requestId: '', acceptChanges: false };
  const wrong: [string, () => Promise<unknown>][] = [
    ['name', () => call(running, HostServiceService.getHost, { name: '' })],
    ['name', () => call(running, HostServiceService.probeHost, { name: '' })],
    ['page_size', () => call(running, HostServiceService.listHosts, { pageSize: -1, pageToken: '' })],
    ['page_token', () => call(running, HostServiceService.listHosts, { pageSize: 1, pageToken: 'nonsense' })],
    [
      'page_token',
      () => call(running, BackupServiceService.listRuns, { ...runs, pageToken: 'aG9zdHM6d2ViMQ' }),
    ],
    ['states', () => call(running, BackupServiceService.listRuns, { ...runs, states: [state] })],
    [
      'states',
      () => call(running, BackupServiceService.listRuns, { ...runs, states: [RunState.UNSPECIFIED] }),
    ],
    ['id', () => call(running, BackupServiceService.getRun, { id: '' })],
    ['id', () => call(running, BackupServiceService.cancelRun, { id: '' })],
    ['host', () => call(running, BackupServiceService.triggerBackup, { ...backup, host: '' })],
    ['type', () => call(running, BackupServiceService.triggerBackup, { ...backup, type })],
    [
      'request_id',
      () => call(running, BackupServiceService.triggerBackup, { ...backup, requestId: 'x'.repeat(65) }),
    ],
    [
      'host',
      () => call(running, SnapshotServiceService.getSnapshot, { host: '', name: 'x', asOf: undefined }),
    ],
    [
      'as_of',
      () => call(running, SnapshotServiceService.getSnapshot, { host: 'web1', name: 'x', asOf: new Date(0) }),
    ],
  ];
  it.each(wrong)('is refused with the field %s', async (field, attempt) => {
    running = await startServer();
    const error = await failureOf(attempt());
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(errorInfoOf(error)).toMatchObject({ reason: 'INVALID_ARGUMENT', metadata: { field } });
  });
});

describe('an error', () => {
  it('that is not meant for users becomes a neutral one, and the log has the rest', async () => {
    const error = new Error('password=secret at /var/lib', { cause: new Error('inner') });
    running = await startServer({ daemonInfo: () => Promise.reject(error) });
    const answer = await failureOf(call(running, DaemonServiceService.getDaemonInfo, {}));
    expect(answer.code).toBe(status.INTERNAL);
    expect(errorInfoOf(answer)?.reason).toBe('INTERNAL');
    expect(JSON.stringify([answer.details, errorInfoOf(answer)])).not.toContain('secret');
    expect(running.logged).toEqual([
      {
        method: '/busy.v1.DaemonService/GetDaemonInfo',
        error: expect.stringMatching(/password=secret[^]*inner/),
      },
    ]);
  });

  it('with half characters and an endless text still arrives', async () => {
    const odd = new BusyError('RUN_NOT_FOUND', { run: `\ud83d${'ä'.repeat(100_000)}` });
    const get = (): Promise<never> => Promise.reject(odd);
    running = await startServer({ lifecycle: { ...fakeParts().lifecycle, get } });
    const error = await failureOf(call(running, BackupServiceService.getRun, { id: 'x' }));
    expect(error.code).toBe(status.NOT_FOUND);
    expect(error.details).toMatch(/^There is no run "\ufffdäää/);
    expect(errorInfoOf(error)?.metadata.run).toMatch(/^\ufffdäää/);
  });
});
