import { DatabaseState } from '../../../src/gen/busy/v1/daemon_service.js';
import { afterEach, expect, test } from 'vitest';
import { BackupType, JobState, RunState } from '../../../src/gen/busy/v1/run.js';
import { HoldCode } from '../../../src/gen/busy/v1/snapshot.js';
import { GetHostResponse, Host, ListHostsResponse } from '../../../src/gen/busy/v1/host_service.js';
import { startFakeDaemon, type Answers, type FakeDaemon } from './fake-daemon.js';
import { cli, type CliOptions, type Result } from './harness.js';
import { minutesAgo, now, runId, sampleRun, sampleSnapshot, succeededRun } from './samples.js';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

async function ask(argv: string[], answers: Answers, options: CliOptions = {}): Promise<Result> {
  daemon = await startFakeDaemon(answers);
  return cli(argv, { ...options, endpoint: daemon.endpoint, io: { now: () => now, ...options.io } });
}

test('hosts are a table with ages', async () => {
  const hosts = [
    {
      ...Host.create(),
      name: 'web1',
      newestSnapshot: sampleSnapshot(),
      snapshotCount: 1234,
      lastRun: succeededRun(3),
    },
    { ...Host.create(), name: 'db', snapshotCount: 0 },
  ];
  const { stdout, exitCode } = await ask(['hosts'], {
    listHosts: (_call, answer) => answer(null, { ...ListHostsResponse.create(), hosts }),
  });
  expect(stdout).toMatchInlineSnapshot(`
    "HOST  NEWEST SNAPSHOT       AGE      SNAPSHOTS  LAST RUN
    web1  2026-11-22_19-51-00f  3 h ago  1,234      SUCCEEDED  7 min ago
    db    -                     -        0          -
    "
  `);
  expect(exitCode).toBe(0);
});

test('--json prints one document with full enum names, before and after the command', async () => {
  const answers: Answers = {
    listRuns: (_call, answer) => answer(null, { runs: [succeededRun(3)], nextPageToken: '' }),
  };
  const after = await ask(['runs', '--json'], answers);
  const before = await cli(['--json', '--server', daemon?.endpoint ?? '', 'runs']);
  expect(before.stdout).toBe(after.stdout);
  expect(JSON.parse(after.stdout)).toMatchObject({
    runs: [
      {
        id: runId,
        state: 'RUN_STATE_SUCCEEDED',
        type: 'BACKUP_TYPE_FULL',
        startedAt: minutesAgo(9).toISOString(),
      },
    ],
  });
});

test('an empty list is an empty array in JSON and a sentence in text', async () => {
  const answers: Answers = { listRuns: (_call, answer) => answer(null, { runs: [], nextPageToken: '' }) };
  const json = await ask(['runs', '--json'], answers);
  const text = await cli(['runs'], { endpoint: daemon?.endpoint ?? '' });
  expect(json.stdout).toBe('{"runs":[]}\n');
  expect(text.stdout).toBe('There are no such runs.\n');
});

test('runs show why they are as they are, and states have colours on a terminal only', async () => {
  const failed = sampleRun({
    state: RunState.FAILED,
    error: { reason: 'HOST_UNREACHABLE', message: 'Host "web1" does not answer.', advice: '' },
  });
  const answers: Answers = {
    listRuns: (_call, answer) => answer(null, { runs: [failed, succeededRun(2)], nextPageToken: '' }),
  };
  const piped = await ask(['runs'], answers);
  expect(piped.stdout).toMatch(/^RUN +HOST +TYPE +STATE +STARTED +TOOK +FILES +BYTES +WHY\n/);
  expect(piped.stdout).toMatch(/web1 +- +FAILED +- +- +0 +0 B +Host "web1" does not answer\.\n/);
  expect(piped.stdout).toMatch(
    /web1 +full +SUCCEEDED +\d{4}-\S+ \S+ +2 min 00 s +0 +0 B +There is no full snapshot\.\n/,
  );
  const endpoint = daemon?.endpoint ?? '';
  const shown = await cli(['runs'], { endpoint, isTerminal: true });
  expect(shown.stdout).toContain('\u001b[31mFAILED\u001b[0m');
  const plain = await cli(['runs'], {
    isTerminal: true,
    io: { env: { BUSY_SERVER: endpoint, NO_COLOR: '1' } },
  });
  expect(plain.stdout).not.toContain('\u001b');
});

test('all pages are fetched, or as many as the limit needs; filters reach the server', async () => {
  const asked: unknown[] = [];
  const answers: Answers = {
    listRuns: ({ request }, answer) => {
      asked.push(request);
      const number = Number(request.pageToken || '1');
      answer(null, {
        runs: [sampleRun({ id: `run${number}` })],
        nextPageToken: number < 3 ? `${number + 1}` : '',
      });
    },
  };
  const all = await ask(
    ['runs', '--host', 'web1', '--state', 'failed', '--state', 'PARTIAL', '--json'],
    answers,
  );
  expect(all.stdout).toMatch(/run1.*run2.*run3/);
  const states = [RunState.FAILED, RunState.PARTIAL];
  expect(asked[2]).toEqual({ host: 'web1', states, pageSize: 1000, pageToken: '3' });
  asked.length = 0;
  await cli(['runs', '--limit', '2'], { endpoint: daemon?.endpoint ?? '' });
  expect(asked).toMatchObject([{ pageSize: 2 }, { pageSize: 1 }]);
});

test('a run is shown with its jobs and missing files, and does not lend its state to the exit code', async () => {
  const run = {
    ...succeededRun(4),
    state: RunState.PARTIAL,
    error: { reason: 'FILES_MISSING', message: '1 files are missing.', advice: 'Exclude them.' },
    jobs: [
      {
        number: 1,
        source: '/etc',
        state: JobState.SUCCEEDED,
        error: undefined,
        stats: sampleSnapshot().stats,
        missingFiles: [{ path: '/etc/shadow', why: 'Permission denied (13)' }],
        missingFileCount: 1,
      },
    ],
  };
  const { stdout, exitCode } = await ask(['run', runId], {
    getRun: (_call, answer) => answer(null, { run }),
  });
  expect(exitCode).toBe(0);
  expect(stdout).toContain('Type       full: There is no full snapshot.');
  expect(stdout).toContain('Bytes      2.0 KiB sent, 1.2 GiB in the source');
  expect(stdout).toContain('1 files are missing.\n  Exclude them.\n  (FILES_MISSING)\n');
  expect(stdout).toMatch(/1 +\/etc +SUCCEEDED +17 +2\.0 KiB/);
  expect(stdout).toContain('  /etc/shadow: Permission denied (13)\n');
});

test('a snapshot is shown with the directory of its files', async () => {
  const answers: Answers = {
    getSnapshot: (_call, answer) => answer(null, { snapshot: sampleSnapshot() }),
    listSnapshots: (_call, answer) => answer(null, { snapshots: [sampleSnapshot()], nextPageToken: '' }),
  };
  const one = await ask(['snapshot', 'web1', '2026-11-22_19-51-00f'], answers);
  expect(one.stdout).toContain('/srv/backup/web1/2026-11-22_19-51-00f/data');
  const list = await cli(['snapshots', 'web1'], { endpoint: daemon?.endpoint ?? '', io: { now: () => now } });
  expect(list.stdout).toMatch(
    /web1 +2026-11-22_19-51-00f +full +SUCCEEDED +3 h ago +12,034 +1\.2 GiB +2\.0 KiB +2\.0 KiB +0 +no manifest\n/,
  );
});

test('host, probe, cancel and info answer in facts', async () => {
  const host = { ...Host.create(), name: 'web1', addresses: ['192.0.2.10'], port: 22, initiator: 1 };
  const answers: Answers = {
    getHost: (_call, answer) => answer(null, { ...GetHostResponse.create(), host }),
    probeHost: (_call, answer) =>
      answer(null, {
        address: '192.0.2.10',
        hostKeyFingerprint: 'SHA256:abc',
        hostname: '',
        rsyncVersion: '3.2.7',
        sshSoftware: 'OpenSSH_9.2',
        probedAt: now,
        durationMs: 840,
      }),
    cancelRun: (_call, answer) => answer(null, { run: sampleRun({ state: RunState.CANCELLING }) }),
    getDaemonInfo: (_call, answer) =>
      answer(null, {
        version: '0.1.0',
        startedAt: minutesAgo(5),
        pid: 42,
        configFile: '/etc/busy/busy.yaml',
        stateDir: '/var/lib/busy',
        database: 'mysql',
        databaseState: DatabaseState.UNAVAILABLE,
        databaseUnavailableSince: minutesAgo(3),
        otherDaemons: [{ hostname: 'backup2', pid: 4712, hostCount: 1, isSilent: true }],
        endpoints: ['unix:/run/busy/busyd.sock'],
        hostCount: 3,
        oldestUnverified: undefined,
        unverifiableSnapshots: 0,
        damagedSnapshots: 0,
        verificationsRunning: 0,
        auditSequence: 12,
        auditHash: 'ab12',
        metricsAddress: '',
        runsQueued: 1,
        runsRunning: 2,
        maxRunning: 4,
        executors: 2,
        caller: undefined,
        rsyncVersion: '3.2.7',
        memoryBytes: 90 * 1024 * 1024,
        reserve: { bytes: 16 * 1024 ** 2, wantedBytes: 64 * 1024 ** 2, releasedSince: minutesAgo(2) },
        confinement: {
          mode: 'auto',
          isBoxed: true,
          hasOwnNetwork: true,
          isMemoryBounded: true,
          why: '',
        },
        disks: [
          {
            backupdir: '/srv/backup',
            freeBytes: 1024 ** 4,
            totalBytes: 2 * 1024 ** 4,
            freeInodes: 90,
            totalInodes: 100,
            forecast: undefined,
          },
        ],
      }),
  };
  expect((await ask(['host', 'web1'], answers)).stdout).toContain('not pinned, so backups are refused');
  const options = { endpoint: daemon?.endpoint ?? '', io: { now: () => now } };
  expect((await cli(['probe', 'web1'], options)).stdout).toContain('SHA256:abc (as pinned)');
  expect((await cli(['cancel', runId], options)).stdout).toContain('is now CANCELLING\n');
  const info = (await cli(['info'], options)).stdout;
  expect(info).toMatch(/mysql, not available since \S+ \S+: no backup begins/);
  expect(info).toContain('2 running (at most 4), 1 queued');
  expect(info).toMatch(
    /Confinement +bwrap: sees the directory of its host alone, no network, memory bounded\n/,
  );
  expect(info).toContain('/srv/backup: 1.0 TiB free of 2.0 TiB, 90 % of the inodes');
  expect(info).toMatch(/16\.0 MiB of 64\.0 MiB: the disk of the state directory has been full since \S+ \S+/);
});

test('backup sends the type and the id, and says how to follow', async () => {
  const asked: unknown[] = [];
  const { stdout, exitCode } = await ask(['backup', 'web1', '--type', 'full', '--request-id', 'night-1'], {
    triggerBackup: ({ request }, answer) => {
      asked.push(request);
      answer(null, { run: sampleRun() });
    },
  });
  expect(asked).toEqual([
    { host: 'web1', type: BackupType.FULL, requestId: 'night-1', acceptChanges: false },
  ]);
  expect(stdout).toBe(`Run ${runId} of web1 is QUEUED\n  Follow it with: busy logs ${runId} --follow\n`);
  expect(exitCode).toBe(0);
});

test('control characters from the server never reach the terminal', async () => {
  const hostile = 'a\u001b[2J\u009b\u202eb\nc\u007f';
  const run = sampleRun({ typeReason: hostile, host: hostile });
  const answers: Answers = { listRuns: (_call, answer) => answer(null, { runs: [run], nextPageToken: '' }) };
  const text = await ask(['runs'], answers);
  expect(text.stdout).toContain('a\\x1b[2J\\x9b\\u{202e}b\\nc\\x7f');
  expect(text.stdout).not.toMatch(/[^\P{C}\n]/u);
  const json = await cli(['runs', '--json'], { endpoint: daemon?.endpoint ?? '' });
  expect(json.stdout).not.toMatch(/[^\P{C}\n]/u);
  expect(JSON.parse(json.stdout)).toMatchObject({ runs: [{ host: hostile }] });
});

test('a held snapshot is shown as such, and acknowledged only with --yes', async () => {
  const message = '/etc has 2 entries instead of 900';
  const held = {
    ...sampleSnapshot(),
    name: '2026-11-22_20-00-00i',
    heldFor: [{ code: HoldCode.SHRUNK, source: '/etc', message }],
  };
  const host = { ...Host.create(), name: 'web1', newestSnapshot: sampleSnapshot(), heldSnapshot: held };
  const asked: unknown[] = [];
  const answers: Answers = {
    listHosts: (_call, answer) => answer(null, { ...ListHostsResponse.create(), hosts: [host] }),
    getHost: (_call, answer) => answer(null, { ...GetHostResponse.create(), host }),
    getSnapshot: (_call, answer) => answer(null, { snapshot: held }),
    listSnapshots: (_call, answer) => answer(null, { snapshots: [held], nextPageToken: '' }),
    acknowledgeSnapshot: ({ request }, answer) => {
      asked.push(request);
      answer(null, { snapshot: { ...held, heldFor: [] } });
    },
  };
  const hosts = await ask(['hosts'], answers);
  expect(hosts.stdout).toContain(`web1: ${held.name} is held: ${message}. See: busy acknowledge web1\n`);
  const options = { endpoint: daemon?.endpoint ?? '', io: { now: () => now } };
  expect((await cli(['snapshots'], options)).stdout).toMatch(/ HELD /);
  const question = await cli(['acknowledge', 'web1'], options);
  expect(question.exitCode).toBe(2);
  expect(question.stderr).toContain(`Snapshot ${held.name} is held: ${message}.`);
  expect(asked).toEqual([]);
  expect((await cli(['acknowledge', 'web1', '--yes'], options)).exitCode).toBe(0);
  const discard = await cli(['acknowledge', 'web1', 'other', '--discard', '--yes'], options);
  expect(discard.stdout).toContain('Snapshot other of web1 is in the trash');
  expect(asked).toEqual([
    { host: 'web1', name: held.name, discard: false },
    { host: 'web1', name: 'other', discard: true },
  ]);
});
