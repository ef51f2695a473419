import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { status } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { RunState } from '../../../src/gen/busy/v1/run.js';
import { refusal, startFakeDaemon, type Answers, type FakeDaemon } from './fake-daemon.js';
import { cli, type Result } from './harness.js';
import { sampleRun } from './samples.js';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

async function ask(argv: string[], answers: Answers): Promise<Result> {
  daemon = await startFakeDaemon(answers);
  return cli(argv, { endpoint: daemon.endpoint });
}

const hostNotFound: Answers = {
  getHost: (_call, answer) =>
    answer(
      refusal(status.NOT_FOUND, 'HOST_NOT_FOUND', 'There is no host "x".', 'List the hosts with: busy hosts'),
    ),
};

test('a refused call is 1, with message, advice and reason', async () => {
  const result = await ask(['host', 'x'], hostNotFound);
  expect(result).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'busy: There is no host "x".\n  List the hosts with: busy hosts\n  (HOST_NOT_FOUND)\n',
  });
});

test('with --json the error is JSON too', async () => {
  const result = await ask(['host', 'x', '--json'], hostNotFound);
  expect(result.exitCode).toBe(1);
  expect(JSON.parse(result.stderr)).toEqual({
    error: {
      reason: 'HOST_NOT_FOUND',
      message: 'There is no host "x".',
      advice: 'List the hosts with: busy hosts',
      code: 'NOT_FOUND',
    },
  });
});

test('UNAVAILABLE with a reason is of a host, not of the daemon', async () => {
  const result = await ask(['probe', 'web1'], {
    probeHost: (_call, answer) =>
      answer(refusal(status.UNAVAILABLE, 'HOST_UNREACHABLE', 'Host "web1" does not answer.', 'Check it.')),
  });
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain('(HOST_UNREACHABLE)');
});

test.each([
  { argv: ['hsts'], says: "unknown command 'hsts'" },
  { argv: [], says: 'No command was given.' },
  { argv: ['host'], says: "missing required argument 'name'" },
  { argv: ['hosts', 'x'], says: 'too many arguments' },
  { argv: ['runs', '--state', 'odd'], says: 'The states are: queued, running' },
  { argv: ['runs', '--limit', '0'], says: 'It must be at least 1.' },
  { argv: ['logs', 'r', '--from', '-1'], says: 'whole number' },
  { argv: ['backup', 'web1', '--type', 'odd'], says: 'Allowed choices are auto, full, incremental' },
  { argv: ['hosts', '--server', 'nowhere'], says: '"nowhere" is not an endpoint' },
])('wrong usage is 2: $argv', async ({ argv, says }) => {
  const { exitCode, stdout, stderr } = await cli(argv);
  expect(exitCode).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(says);
  expect(stderr).toContain('(WRONG_USAGE)');
});

test('no daemon is 3 and names the endpoint', async () => {
  const endpoint = `unix:${join(tmpdir(), 'busy-cli-nobody', 'busyd.sock')}`;
  for (const argv of [['hosts'], ['logs', 'r', '--follow'], ['watch'], ['backup', 'web1', '--follow']]) {
    const { exitCode, stderr } = await cli(argv, { endpoint });
    expect(stderr).toContain(`No connection to busyd at ${endpoint}: there is no such socket.`);
    expect(stderr).toContain('Is busyd running');
    expect(exitCode).toBe(3);
  }
});

test.each([status.UNAUTHENTICATED, status.PERMISSION_DENIED])('not allowed (%i) is 4', async (code) => {
  const result = await ask(['hosts'], {
    listHosts: (_call, answer) => answer({ code, details: 'A token is needed.' }),
  });
  expect(result.exitCode).toBe(4);
  expect(result.stderr).toContain('busy: A token is needed.');
});

test('a call that the daemon does not know tells of versions', async () => {
  const result = await ask(['info'], {});
  expect(result.exitCode).toBe(1);
  expect(result.stderr).toContain('compare busy --version with busy info');
});

test.each([
  { state: RunState.SUCCEEDED, exitCode: 0 },
  { state: RunState.PARTIAL, exitCode: 5 },
  { state: RunState.FAILED, exitCode: 1 },
  { state: RunState.CANCELLED, exitCode: 1 },
  { state: RunState.INTERRUPTED, exitCode: 1 },
])('a followed run in state $state ends with $exitCode', async ({ state, exitCode }) => {
  const result = await ask(['backup', 'web1', '--follow'], {
    triggerBackup: (_call, answer) => answer(null, { run: sampleRun() }),
    watchRuns: (call) => call.write({ run: sampleRun({ state, revision: 2 }) }),
    streamLogs: (call) => call.end(),
  });
  expect(result).toMatchObject({ exitCode, stderr: '' });
  expect(result.stdout).toContain(RunState[state]);
});

test('help and version are 0, and every help lists examples and exit codes', async () => {
  expect(await cli(['--version'])).toEqual({ exitCode: 0, stdout: '1.2.3\n', stderr: '' });
  const commands = [
    'hosts',
    'host',
    'probe',
    'backup',
    'runs',
    'run',
    'cancel',
    'logs',
    'watch',
    'snapshots',
  ];
  for (const command of [...commands, 'snapshot', 'info']) {
    const { exitCode, stdout } = await cli([command, '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples:\n  busy ${command}`));
    expect(stdout).toContain('Exit codes:');
    expect(stdout).toContain('--server <endpoint>');
  }
});
