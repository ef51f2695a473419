/** Metrics of a real busyd after a real backup, by every way to them. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, readlink, statfs, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request, type RequestOptions } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parsePrometheusText, valueOf } from '../helpers/prometheus-text.js';
import { TestBed, until } from '../helpers/test-bed.js';

const root = new URL('../../', import.meta.url).pathname;

let bed: TestBed;
let configure: (settings: Readonly<Record<string, unknown>>) => Promise<void>;

beforeAll(async () => {
  bed = await TestBed.create();
  const sshd = await bed.startSshd();
  const source = join(bed.directory, 'source');
  await mkdir(source);
  await writeFile(join(source, 'file'), randomBytes(400_000));
  const hosts = ['web1', 'db1'].map((name) => bed.hostAt(sshd, { name, srcdirs: [source] }));
  configure = (settings) => bed.configure(hosts, settings);
  await configure({ listen: [`unix:${bed.socket}`, 'tcp://127.0.0.1:0'], metrics_listen: '127.0.0.1:0' });
  await bed.startDaemon();
  await bed.backUp('web1');
});
afterAll(() => bed.end());

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await bed.busy([...args, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function makeToken(...args: string[]): Promise<string> {
  const { token } = (await json('token', 'create', '--role', 'viewer', ...args)) as { token: string };
  return token;
}

async function addressOfMetrics(): Promise<string> {
  const { metricsAddress } = (await json('info')) as { metricsAddress?: string };
  return metricsAddress ?? '';
}

interface HttpAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** One question by HTTP, exactly as it is given. */
async function ask(url: string, options: RequestOptions = {}): Promise<HttpAnswer> {
  const { hostname, port } = new URL(url);
  const path = url.slice(url.indexOf('/', 'http://'.length));
  const asked = request({ hostname, port, path, agent: false, ...options }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
  return { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body };
}

async function statusOf(url: string, options?: RequestOptions): Promise<number> {
  return (await ask(url, options)).status;
}

/** Unix time. */
function secondsOf(time: string | undefined): number {
  return Date.parse(time ?? '') / 1000;
}

/** The TCP ports that a process listens at. */
async function listeningPorts(pid: number): Promise<number[]> {
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
  );
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8')),
  );
  return tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((line) => line.trim().split(/ +/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && links.includes(`socket:[${inode}]`))
    .map(([, local = '']) => parseInt(local.split(':')[1] ?? '', 16));
}

it('agree with what has run', async () => {
  const answer = await ask(await addressOfMetrics());
  expect(answer).toMatchObject({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' });
  const families = parsePrometheusText(answer.body);
  const { runs } = (await json('runs')) as { runs: { startedAt: string; endedAt: string }[] };
  const { snapshots } = (await json('snapshots', 'web1')) as { snapshots: { startedAt: string }[] };
  const host = 'web1';
  const disk = await statfs(bed.backupdir);
  for (const [name, labels, value] of [
    ['busy_host_newest_snapshot_timestamp_seconds', { host }, secondsOf(snapshots[0]?.startedAt)],
    ['busy_host_newest_snapshot_new_bytes', { host }, 400_000],
    ['busy_host_snapshots', { host }, 1],
    ['busy_host_snapshots', { host: 'db1' }, 0],
    ['busy_host_condition', { host, condition: 'good' }, 1],
    ['busy_host_condition', { host: 'db1', condition: 'new' }, 1],
    ['busy_host_last_backup_end_timestamp_seconds', { host }, secondsOf(runs[0]?.endedAt)],
    ['busy_runs_ended_total', { kind: 'backup', state: 'succeeded' }, 1],
    ['busy_backup_new_bytes_total', {}, 400_000],
    ['busy_hosts', {}, 2],
    ['busy_queue_length', {}, 0],
    ['busy_database_up', {}, 1],
    ['busy_mail_outbox_length', {}, 0],
    ['busy_disk_size_bytes', { directory: bed.backupdir }, disk.blocks * disk.bsize],
    ['busy_grpc_calls_total', { method: 'busy.v1.BackupService/TriggerBackup', code: 'OK' }, 1],
  ] as const)
    expect([name, valueOf(families, name, labels)]).toEqual([name, value]);
  expect(valueOf(families, 'busy_host_last_backup_duration_seconds', { host })).toBeCloseTo(
    secondsOf(runs[0]?.endedAt) - secondsOf(runs[0]?.startedAt),
    5,
  );
  const { code, stdout } = await bed.busy(['metrics']);
  const names = [...parsePrometheusText(stdout).keys()];
  expect({ code, names }).toEqual({ code: 0, names: [...families.keys()] });
});

it('are all that can be had by HTTP', async () => {
  const address = await addressOfMetrics();
  expect(await statusOf(address, { method: 'POST' })).toBe(405);
  expect(await statusOf(address, { method: 'HEAD' })).toBe(405);
  expect(await statusOf(address.replace('/metrics', '/'))).toBe(404);
  expect(await statusOf(`${address}/../etc`)).toBe(404);
  expect(await statusOf(address, { headers: { host: 'evil.example.org' } })).toBe(403);
});

it('are for viewers who see all hosts, also through busy-web', async () => {
  const viewer = await makeToken('prometheus');
  const limited = await makeToken('--host', 'db1', 'some');
  const { endpoints } = (await json('info')) as { endpoints: string[] };
  const remote = ['--server', endpoints[1] ?? '', 'metrics'];
  expect((await bed.busy(remote)).code).toBe(4);
  const file = join(bed.directory, 'token');
  for (const [token, code] of [
    [viewer, 0],
    [limited, 4],
  ] as const) {
    await writeFile(file, token, { mode: 0o600 });
    expect((await bed.busy([...remote, '--token-file', file])).code).toBe(code);
  }
  const gateway = spawn(
    process.execPath,
    [`${root}dist/clients/web/gateway/main.js`, '--listen', '127.0.0.1:0', '--server', `unix:${bed.socket}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(gateway, 'exit');
  let printed = '';
  try {
    gateway.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
    await until(() => printed.includes('\n') || gateway.exitCode !== null, 'busy-web to start');
    const url = `${/http:\S+/.exec(printed)?.[0]}metrics`;
    for (const [authorization, status] of [
      ['', 401],
      ['Bearer ', 401],
      ['Bearer busy_wrong', 401],
      [`Basic ${viewer}`, 401],
      [`Bearer ${limited}`, 403],
    ] as const)
      expect([authorization, (await ask(url, { headers: { authorization } })).status]).toEqual([
        authorization,
        status,
      ]);
    const headers = { authorization: `Bearer ${viewer}` };
    expect((await ask(url, { method: 'POST', headers })).status).toBe(405);
    const answer = await ask(url, { headers });
    expect(answer.status).toBe(200);
    const families = parsePrometheusText(answer.body);
    const denied = { method: 'busy.v1.DaemonService/GetMetrics', code: 'PERMISSION_DENIED' };
    expect(valueOf(families, 'busy_grpc_calls_total', denied)).toBe(2);
    // Who guesses in a browser does not lock out what fetches the metrics from the same address.
    const logIn = async (): Promise<number> =>
      (await fetch(url.replace(/metrics$/, 'session'), { method: 'POST', body: 'busy_wrong' })).status;
    expect(await Promise.all(Array.from({ length: 5 }, logIn))).toEqual(Array(5).fill(401));
    expect(await logIn()).toBe(429);
    expect(await statusOf(url, { headers })).toBe(200);
  } finally {
    gateway.kill();
    await ended;
  }
});

it('are served nowhere without metrics_listen', async () => {
  await bed.stopDaemon();
  await configure({ listen: [`unix:${bed.socket}`, 'tcp://127.0.0.1:0'] });
  await bed.startDaemon();
  const { endpoints } = (await json('info')) as { endpoints: string[] };
  expect(await addressOfMetrics()).toBe('');
  expect(await listeningPorts(bed.daemonPid())).toEqual([Number(new URL(endpoints[1] ?? '').port)]);
});
