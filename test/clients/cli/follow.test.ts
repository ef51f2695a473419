import { DatabaseState } from '../../../src/gen/busy/v1/daemon_service.js';
import { afterEach, expect, test } from 'vitest';
import type { ServerWritableStream } from '@grpc/grpc-js';
import type { StreamLogsRequest, StreamLogsResponse } from '../../../src/gen/busy/v1/backup_service.js';
import { JobState, RunState } from '../../../src/gen/busy/v1/run.js';
import { startFakeDaemon, type Answers, type FakeDaemon } from './fake-daemon.js';
import { cli } from './harness.js';
import { runId, runningRun, sampleRun, sampleSnapshot, succeededRun } from './samples.js';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

const log = ['one', 'two', 'three', 'four', 'five'];
const lineBytes = (lines: string[]): number => lines.join('\n').length + 1;

/** Sends the lines from the offset that was asked for, one a message, up to `end` lines of the log. */
function sendLog(call: ServerWritableStream<StreamLogsRequest, StreamLogsResponse>, end: number): void {
  let offset = 0;
  for (const line of log.slice(0, end)) {
    const nextOffset = offset + lineBytes([line]);
    if (offset >= call.request.offset) call.write({ offset, lines: [line], nextOffset });
    offset = nextOffset;
  }
}

const started: Answers = {
  triggerBackup: (_call, answer) => answer(null, { run: sampleRun() }),
  getRun: (_call, answer) => answer(null, { run: sampleRun() }),
};

/** Gives three lines and a progress of 10 percent, and then nothing. */
const firstHalf: Answers = {
  ...started,
  watchRuns: (call) => call.write({ run: runningRun(2, 10) }),
  streamLogs: (call) => sendLog(call, 3),
};

function secondHalf(asked: unknown[]): Answers {
  return {
    watchRuns: (call) => {
      asked.push(call.request);
      call.write({ run: runningRun(2, 10) });
      call.write({ run: succeededRun(5) });
    },
    streamLogs: (call) => {
      asked.push(call.request);
      sendLog(call, log.length);
      call.end();
    },
    getSnapshot: (_call, answer) => answer(null, { snapshot: sampleSnapshot() }),
  };
}

/** Kills the daemon once stdout holds all of `needed`, and starts it anew with `next`. */
function restartWhen(needed: string[], next: Answers): (text: string) => void {
  let isDone = false;
  return (text) => {
    if (isDone || !needed.every((part) => text.includes(part))) return;
    isDone = true;
    daemon?.kill();
    void daemon?.start(next);
  };
}

test('backup --follow survives a restart of the daemon without losing or doubling lines', async () => {
  const asked: unknown[] = [];
  daemon = await startFakeDaemon(firstHalf);
  const { exitCode, stdout, stderr } = await cli(['backup', 'web1', '--follow'], {
    endpoint: daemon.endpoint,
    onStdout: restartWhen(['three', '10%'], secondHalf(asked)),
  });
  expect(stdout.split('\n').filter((line) => log.includes(line))).toEqual(log);
  expect(asked).toContainEqual({ runId, offset: lineBytes(['one', 'two', 'three']), follow: true });
  expect(asked).toContainEqual({ host: '', runId, afterRevision: 2 });
  expect(stdout.match(/10%/g)).toHaveLength(1);
  expect(stdout).toContain('The files are below /srv/backup/web1/2026-11-22_19-51-00f/data');
  expect(stderr).toBe('busy: The connection to busyd was lost; trying again.\n');
  expect(exitCode).toBe(0);
});

test('logs --follow resumes at the offset', async () => {
  daemon = await startFakeDaemon(firstHalf);
  const { exitCode, stdout } = await cli(['logs', runId, '--follow', '--from', '4'], {
    endpoint: daemon.endpoint,
    onStdout: restartWhen(['three'], secondHalf([])),
  });
  expect(stdout).toBe('two\nthree\nfour\nfive\n');
  expect(exitCode).toBe(0);
});

test('logs --json prints one message a line', async () => {
  daemon = await startFakeDaemon({ ...started, ...secondHalf([]) });
  const { stdout } = await cli(['logs', runId, '--json', '--from', '14'], { endpoint: daemon.endpoint });
  const messages = stdout.trim().split('\n');
  expect(messages).toEqual([
    '{"offset":14,"lines":["four"],"nextOffset":19}',
    '{"offset":19,"lines":["five"],"nextOffset":24}',
  ]);
});

test('a daemon that does not come back is 3', async () => {
  daemon = await startFakeDaemon(firstHalf);
  const { exitCode, stderr } = await cli(['logs', runId, '--follow'], {
    endpoint: daemon.endpoint,
    io: { reconnectForMs: 300 },
    onStdout: (text) => {
      if (text.includes('three')) daemon?.kill();
    },
  });
  expect(stderr).toContain('was lost and did not come back');
  expect(stderr).toContain(`busy logs ${runId} --follow`);
  expect(exitCode).toBe(3);
});

test('--json --follow prints every value of the run and nothing else', async () => {
  daemon = await startFakeDaemon({ ...started, ...secondHalf([]) });
  const { stdout, exitCode } = await cli(['backup', 'web1', '--follow', '--json'], {
    endpoint: daemon.endpoint,
  });
  const values = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(values).toMatchObject([
    { run: { state: 'RUN_STATE_RUNNING', progress: { percent: 10 } } },
    { run: { state: 'RUN_STATE_SUCCEEDED' } },
  ]);
  expect(exitCode).toBe(0);
});

test('on a terminal the progress is one line, rewritten below the log and cut to the width', async () => {
  const run = runningRun(2, 42);
  const progress = run.progress && { ...run.progress, currentFile: `etc/${'x'.repeat(80)}\u001b[2J` };
  daemon = await startFakeDaemon({
    ...started,
    watchRuns: (call) => call.write({ run: { ...run, progress } }),
    streamLogs: (call) => sendLog(call, 1),
  });
  const interrupt = new AbortController();
  const { stdout } = await cli(['backup', 'web1', '--follow'], {
    endpoint: daemon.endpoint,
    isTerminal: true,
    io: { interrupt: interrupt.signal },
    onStdout: (text) => {
      if (text.includes('one\n') && text.includes('42%')) interrupt.abort();
    },
  });
  const live = stdout.split('\r\u001b[2K').filter((part) => part.startsWith('42%'));
  expect(live[0]).toBe('42%  1.2 GiB  35.1 MiB/s  3 min 00 s left  job 1 of 2  etc…');
  expect(stdout).not.toContain('\u001b[2J');
});

test('Ctrl-C stops following and says that the run goes on', async () => {
  daemon = await startFakeDaemon(firstHalf);
  for (const argv of [
    ['backup', 'web1', '--follow'],
    ['logs', runId, '--follow'],
  ]) {
    const interrupt = new AbortController();
    const { exitCode, stderr } = await cli(argv, {
      endpoint: daemon.endpoint,
      io: { interrupt: interrupt.signal },
      onStdout: (text) => {
        if (text.includes('three')) interrupt.abort();
      },
    });
    expect(stderr).toContain(`Stopped following; run ${runId} goes on.`);
    expect(stderr).toContain(`busy cancel ${runId}`);
    expect(exitCode).toBe(130);
  }
});

test('a run that has ended before is told at once', async () => {
  daemon = await startFakeDaemon({
    triggerBackup: (_call, answer) => answer(null, { run: sampleRun({ state: RunState.PARTIAL }) }),
    streamLogs: (call) => {
      sendLog(call, log.length);
      call.end();
    },
  });
  const argv = ['backup', 'web1', '--follow', '--request-id', 'night-1'];
  const { exitCode, stdout } = await cli(argv, { endpoint: daemon.endpoint });
  expect(stdout).toContain('five\n');
  expect(exitCode).toBe(5);
});

test('the summary of a partial run lists the first ten missing files', async () => {
  const files = Array.from({ length: 12 }, (_, index) => ({
    path: `/etc/file${index}`,
    why: 'Permission denied (13)',
  }));
  const job = { number: 1, source: '/etc', state: JobState.PARTIAL, error: undefined, stats: undefined };
  const jobs = [{ ...job, missingFiles: files, missingFileCount: 1500 }];
  daemon = await startFakeDaemon({
    triggerBackup: (_call, answer) => answer(null, { run: sampleRun({ state: RunState.PARTIAL, jobs }) }),
    streamLogs: (call) => call.end(),
  });
  const { stdout } = await cli(['backup', 'web1', '--follow'], { endpoint: daemon.endpoint });
  expect(stdout).toContain('Missing or incomplete files: 1,500\n  /etc/file0: Permission denied (13)\n');
  expect(stdout).toContain('/etc/file9:');
  expect(stdout).not.toContain('/etc/file10:');
  expect(stdout).toContain('  and 1,490 more, all listed in snapshot.json beside the data\n');
});

test('watch prints changes and resumes after the newest revision', async () => {
  const asked: unknown[] = [];
  const interrupt = new AbortController();
  const info: Answers = { getDaemonInfo: (_call, answer) => answer(null, emptyInfo) };
  daemon = await startFakeDaemon({ ...info, watchRuns: (call) => call.write({ run: runningRun(7, 10) }) });
  const restart = restartWhen(['10%'], secondHalf(asked));
  const { exitCode, stdout } = await cli(['watch', '--host', 'web1', '--after', '3'], {
    endpoint: daemon.endpoint,
    io: { interrupt: interrupt.signal },
    onStdout: (text) => {
      restart(text);
      if (text.includes('SUCCEEDED')) interrupt.abort();
    },
  });
  expect(asked).toEqual([{ host: 'web1', runId: '', afterRevision: 7 }]);
  expect(stdout).toMatch(
    /web1 {2}RUNNING {2}10%.*\n.*web1 {2}RUNNING {2}10%.*\n.*SUCCEEDED {2}2026-11-22_19-51-00f\n$/,
  );
  expect(exitCode).toBe(130);
});

const emptyInfo = {
  caller: undefined,
  databaseState: DatabaseState.OK,
  databaseUnavailableSince: undefined,
  otherDaemons: [],
  version: '',
  startedAt: undefined,
  pid: 0,
  configFile: '',
  stateDir: '',
  database: '',
  endpoints: [],
  hostCount: 0,
  oldestUnverified: undefined,
  unverifiableSnapshots: 0,
  damagedSnapshots: 0,
  verificationsRunning: 0,
  auditSequence: 12,
  auditHash: 'ab12',
  metricsAddress: '',
  runsQueued: 0,
  runsRunning: 0,
  maxRunning: 0,
  executors: 0,
  rsyncVersion: '',
  memoryBytes: 0,
  confinement: undefined,
  disks: [],
  reserve: undefined,
};
