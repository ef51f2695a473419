import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { runCommand } from '../helpers/run-command.js';
import { isAlive, TestBed, until } from '../helpers/test-bed.js';

const root = new URL('../../', import.meta.url).pathname;

describe('busyd before it starts', () => {
  let bed: TestBed;
  beforeAll(async () => {
    bed = await TestBed.create();
  });
  afterAll(() => bed.end());

  it('names every error of the configuration at once: place, key, what is wrong, what is allowed', async () => {
    await writeFile(
      bed.configFile,
      `state_dir: relative
listen: tcp://0.0.0.0:4000
metrics_listen: 0.0.0.0:9464
max_runing: 4
hosts:
  - name: Web1
    srcdirs: [etc]
    backupdir: /srv/backup
    port: 70000
`,
    );
    const { code, stdout, stderr } = await bed.busyd(['--config', bed.configFile]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const place = (line: number, column: number, key: string): string =>
      `${bed.configFile}:${line}:${column}: ${key}: `;
    for (const [start, wrong, allowed] of [
      [place(1, 12, 'state_dir'), 'relative', 'allowed: an absolute directory'],
      [place(2, 9, 'listen'), 'needs TLS', 'busyd make-cert'],
      [place(3, 17, 'metrics_listen'), 'which other machines can reach', 'busy metrics'],
      [place(4, 1, 'max_runing'), 'max_running', 'allowed: '],
      [place(6, 11, 'hosts[0].name'), '"Web1"', 'lower-case letters'],
      [place(7, 15, 'hosts[0].srcdirs[0]'), 'etc', 'allowed: '],
      [place(9, 11, 'hosts[0].port'), '70000', '1 to 65535'],
    ] as const) {
      const line = stderr.split('\n').find((text) => text.includes(start));
      expect(line ?? `nothing begins with ${start} in ${stderr}`).toContain(wrong);
      expect(line).toContain(allowed);
    }
  });

  it('says which file it cannot read', async () => {
    const { code, stderr } = await bed.busyd(['--config', '/no/such/busy.yaml']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\/no\/such\/busy\.yaml: the file cannot be read: .*no such file/);
  });

  it('knows its flags', async () => {
    const unknown = await bed.busyd(['--verbose']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("unknown option '--verbose'");
    expect((await bed.busyd(['start'])).code).toBe(2);
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(await bed.busyd(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const help = await bed.busyd(['--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--config <file>');
  });
});

describe('busyd and its signals', () => {
  let bed: TestBed;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    const source = join(bed.directory, 'source');
    await mkdir(source);
    await writeFile(join(source, 'file'), randomBytes(4_000_000));
    const hosts = ['short', 'long', 'waiting'].map((name) =>
      bed.hostAt(sshd, { name, srcdirs: [source], bandwidth_limit: { short: '2m', long: '50k' }[name] ?? 0 }),
    );
    await bed.configure(hosts, { max_running: 1, stop_grace: '60s' });
    await writeFile(
      join(bed.directory, 'hasty.yaml'),
      (await readFile(bed.configFile, 'utf8')).replace('60s', '1s'),
    );
  });
  afterEach(() => bed.stopDaemon('SIGKILL'));
  afterAll(() => bed.end());

  async function runningBackup(host: string): Promise<Run> {
    const { id } = await bed.trigger(host);
    return bed.waitForRun(id, ({ progress }) => (progress?.bytesDone ?? 0) > 0);
  }

  /** The run as the next daemon knows it. */
  async function afterRestart(host: string): Promise<Run> {
    await bed.startDaemon();
    return bed.lastRun(host);
  }

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'idle: %s ends it with 0, and the socket is gone',
    async (signal) => {
      await bed.startDaemon();
      expect(existsSync(bed.socket)).toBe(true);
      expect(await bed.stopDaemon(signal)).toBe(0);
      expect(existsSync(bed.socket)).toBe(false);
      expect(existsSync(join(bed.directory, 'state/busyd.lock'))).toBe(false);
    },
  );

  it('takes a signal that comes while it starts, anywhere and by a relative path', async () => {
    const args = [join(root, 'dist/src/main.js'), '--config', 'busy.yaml'];
    const child = spawn(process.execPath, args, { cwd: bed.directory });
    const ended = once(child, 'exit');
    await until(() => existsSync(join(bed.directory, 'state/busyd.lock')), 'busyd to take its lock');
    // It must not work in a directory that may be removed.
    expect(await readlink(`/proc/${child.pid}/cwd`)).toBe('/');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(existsSync(bed.socket)).toBe(false);
    expect(existsSync(join(bed.directory, 'state/busyd.lock'))).toBe(false);
  });

  it('lets a backup end within the grace, and carries out at the next start what waited', async () => {
    await bed.startDaemon();
    const { id } = await runningBackup('short');
    const waiting = await bed.trigger('waiting');
    expect(waiting.state).toBe(RunState.QUEUED);
    expect(await bed.stopDaemon()).toBe(0);
    expect(await afterRestart('short')).toMatchObject({ id, state: RunState.SUCCEEDED });
    expect(await bed.waitForRun(waiting.id)).toMatchObject({ state: RunState.SUCCEEDED });
  });

  it('cancels a backup when the grace is over', async () => {
    const patient = await readFile(bed.configFile, 'utf8');
    await writeFile(bed.configFile, await readFile(join(bed.directory, 'hasty.yaml'), 'utf8'));
    await bed.startDaemon();
    const { id } = await runningBackup('long');
    const children = await bed.daemonChildren();
    expect(await bed.stopDaemon()).toBe(0);
    await writeFile(bed.configFile, patient);
    await until(() => !children.some(isAlive), 'the processes of the backup to end');
    const run = await afterRestart('long');
    expect(run).toMatchObject({ id, state: RunState.CANCELLED, error: { reason: 'CANCELLED_BY_STOP' } });
    expect(run.error?.message).toContain('because the daemon stops');
  });

  it('cancels at once at a second signal', async () => {
    await bed.startDaemon();
    const { id } = await runningBackup('long');
    const ended = bed.stopDaemon();
    await until(() => bed.daemonLog().includes(' stopping '), 'busyd to begin to stop');
    process.kill(bed.daemonPid(), 'SIGTERM');
    expect(await ended).toBe(0);
    expect(await afterRestart('long')).toMatchObject({ id, state: RunState.CANCELLED });
  });

  it('leaves nothing that is in the way of the next start when it is killed', async () => {
    await bed.startDaemon();
    const { id } = await runningBackup('long');
    const children = await bed.daemonChildren();
    expect(await bed.stopDaemon('SIGKILL')).toBe(null);
    expect(existsSync(bed.socket)).toBe(true);
    expect(await afterRestart('long')).toMatchObject({
      id,
      state: RunState.INTERRUPTED,
      error: { reason: 'DAEMON_DIED' },
    });
    await until(() => !children.some(isAlive), 'the processes of the killed daemon to end');
  });

  it('refuses to start a second time on one state directory, or one socket', async () => {
    await bed.startDaemon();
    const second = await bed.busyd(['--config', bed.configFile]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`(process ${bed.daemonPid()} on ${hostname()}) uses the state directory`);
    const other = join(bed.directory, 'other.yaml');
    await writeFile(other, JSON.stringify({ state_dir: `${other}.d`, listen: `unix:${bed.socket}` }));
    const third = await bed.busyd(['--config', other]);
    expect(third.code).toBe(1);
    expect(third.stderr).toContain(`A daemon already listens on ${bed.socket}`);
    expect((await bed.busy(['info'])).code).toBe(0);
  });
});

describe('busyd and clients that have none of its files', () => {
  let bed: TestBed;
  let tcp: readonly string[];
  let unix: readonly string[];

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    await mkdir(join(bed.directory, 'source'));
    await bed.configure([bed.hostAt(sshd, { name: 'web1', srcdirs: [join(bed.directory, 'source')] })], {
      listen: [`unix:${bed.socket}`, 'tcp://127.0.0.1:0'],
    });
    await bed.startDaemon();
    const client = bed.info;
    const { endpoints } = await callMethod(client, DaemonServiceService.getDaemonInfo, {});
    client.close();
    const [, port] = /^tcp:\/\/127\.0\.0\.1:(\d+)$/.exec(endpoints[1] ?? '') ?? [];
    expect(Number(port)).toBeGreaterThan(0);
    const { stdout } = await bed.busy(['token', 'create', '--role', 'operator', '--json']);
    const header = `authorization: Bearer ${(JSON.parse(stdout) as { token: string }).token}`;
    tcp = ['--header', header, '--reflect-header', header, `http://127.0.0.1:${port}`];
    unix = ['--unix-socket', bed.socket, 'http://localhost'];
  });
  afterAll(() => bed.end());

  it.each(['tcp', 'unix'] as const)('lists services and methods by reflection (%s)', async (kind) => {
    const way = kind === 'tcp' ? tcp : unix;
    const services = (await curl(way, '--list-services')).split('\n');
    for (const name of ['BackupService', 'HostService', 'SnapshotService', 'DaemonService'])
      expect(services).toContain(`busy.v1.${name}`);
    expect(services).toContain('grpc.health.v1.Health');
    expect(await curl(way, '--list-methods')).toContain('busy.v1.BackupService/TriggerBackup');
  });

  it.each(['tcp', 'unix'] as const)(
    'triggers a backup by reflection alone, and is healthy (%s)',
    async (kind) => {
      const way = kind === 'tcp' ? tcp : unix;
      const answer = await curl(way, '/busy.v1.BackupService/TriggerBackup', '-d', '{"host":"web1"}');
      const { run } = JSON.parse(answer) as { run: { id: string } };
      expect((await bed.waitForRun(run.id)).state).toBe(RunState.SUCCEEDED);
      const health = await curl(
        way,
        '/grpc.health.v1.Health/Check',
        '-d',
        '{"service":"busy.v1.BackupService"}',
      );
      expect(JSON.parse(health)).toEqual({ status: 'SERVING' });
    },
  );

  it('lives on when something else than gRPC comes', async () => {
    const socket = connect(Number(new URL(tcp.at(-1) ?? '').port), '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(randomBytes(100_000));
    socket.resume();
    await closed;
    await rm(join(bed.directory, 'source'), { recursive: true });
    expect(JSON.parse(await curl(tcp, '/busy.v1.DaemonService/GetDaemonInfo'))).toMatchObject({
      hostCount: 1,
    });
  });
});

/** One call by `buf curl`, by the flags and the address of `way`; answers what it printed. */
async function curl(way: readonly string[], ...args: string[]): Promise<string> {
  const buf = join(root, 'node_modules/.bin/buf');
  const target = way.slice(0, -1);
  const url = `${way.at(-1)}${args[0]?.startsWith('/') ? args.shift() : ''}`;
  const common = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...target];
  const { code, stdout, stderr } = await runCommand(buf, [...common, ...args, url]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}
