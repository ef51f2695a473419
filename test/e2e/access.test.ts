/** Who may do what: a real busyd on a socket, on plain loopback and with TLS, and the real client. */
import { X509Certificate } from 'node:crypto';
import { chmod, copyFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { cli } from '../clients/cli/harness.js';
import { runCommand } from '../helpers/run-command.js';
import { TestBed, until } from '../helpers/test-bed.js';

const root = new URL('../../', import.meta.url).pathname;

let bed: TestBed;
let plain = '';
let secure = '';
let dbaDisk = '';

beforeAll(async () => {
  bed = await TestBed.create();
  expect((await bed.busyd(makeCert('--client', 'carol', '--client', 'mallory'))).code).toBe(0);
  dbaDisk = join(bed.directory, 'dba');
  await mkdir(dbaDisk);
  const hosts = ['web1', 'db1'].map((name) => ({
    name,
    addresses: ['127.0.0.1'],
    port: 1,
    backupdir: name === 'db1' ? dbaDisk : bed.backupdir,
    srcdirs: ['/etc'],
    schedule: 'never',
    verify_every: 0,
  }));
  await bed.configure(hosts, {
    listen: [`unix:${bed.socket}`, 'tcp://127.0.0.1:0', 'tls://127.0.0.1:0'],
    tls: { cert: tls('server.crt'), key: tls('server.key'), client_ca: tls('ca.crt') },
    certificates: { carol: { role: 'operator', hosts: ['web1'] } },
    socket_group: String(process.getgid?.() ?? 0),
  });
  await bed.startDaemon();
  const client = bed.info;
  const { endpoints } = await callMethod(client, DaemonServiceService.getDaemonInfo, {});
  client.close();
  [, plain = '', secure = ''] = endpoints;
});
afterAll(() => bed.end());

function tls(name: string): string {
  return join(bed.directory, 'tls', name);
}

function makeCert(...args: readonly string[]): string[] {
  return ['make-cert', '--dir', join(bed.directory, 'tls'), ...args];
}

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The client, inside this process. */
async function busy(args: readonly string[], token = ''): Promise<Result> {
  const { exitCode, stdout, stderr } = await cli([...args], { io: { env: { BUSY_TOKEN: token } } });
  return { code: exitCode, stdout, stderr };
}

/** As whoever can open the socket. */
function onSocket(args: readonly string[]): Promise<Result> {
  return busy(['--server', `unix:${bed.socket}`, ...args]);
}

async function makeToken(...args: readonly string[]): Promise<string> {
  const { stdout } = await onSocket(['token', 'create', '--json', ...args]);
  return (JSON.parse(stdout) as { token: string }).token;
}

describe('a TCP port', () => {
  it('lets nobody in without a token, also on loopback; exit code 4', async () => {
    const { code, stdout, stderr } = await busy(['--server', plain, 'hosts']);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/ListHosts needs to know who calls[^]*busy token create[^]*NOT_AUTHENTICATED/);
  });

  it('answers for its health to everybody', async () => {
    const buf = join(root, 'node_modules/.bin/buf');
    const url = `${plain.replace('tcp:', 'http:')}/grpc.health.v1.Health/Check`;
    const flags = ['--protocol', 'grpc', '--http2-prior-knowledge', '--schema', 'proto'];
    const { stdout } = await runCommand(buf, ['curl', ...flags, '-d', '{}', url]);
    expect(JSON.parse(stdout)).toEqual({ status: 'SERVING' });
  });

  it('takes a token from BUSY_TOKEN or a file, and the role decides', async () => {
    const viewer = await makeToken('--role', 'viewer', '--expires', '90d', 'dashboard');
    expect((await busy(['--server', plain, 'hosts', '--json'], viewer)).code).toBe(0);
    const file = join(bed.directory, 'token');
    await writeFile(file, `${viewer}\n`, { mode: 0o600 });
    expect(await busy(['--server', plain, '--token-file', file, 'hosts'])).toMatchObject({
      code: 0,
      stderr: '',
    });
    await chmod(file, 0o644);
    expect((await busy(['--server', plain, '--token-file', file, 'hosts'])).stderr).toContain(
      `warning: others may read ${file} (mode 644); chmod 600 keeps it to you`,
    );

    const refused = await busy(['--server', plain, 'backup', 'web1'], viewer);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain(
      'TriggerBackup needs the role operator, but "dashboard" has the role viewer.',
    );
    const operator = await makeToken('--role', 'operator', 'nightly');
    expect((await busy(['--server', plain, 'backup', 'web1', '--json'], operator)).code).toBe(0);
    for (const command of [['reload'], ['mail-test'], ['token', 'list']])
      expect((await busy(['--server', plain, ...command], operator)).code).toBe(4);
    const admin = await makeToken('--role', 'admin', 'root');
    expect((await busy(['--server', plain, 'reload'], admin)).code).toBe(0);
  });

  it('shows a limited token only its hosts', async () => {
    const token = await makeToken('--role', 'admin', '--host', 'db1', 'dba');
    const { stdout } = await busy(['--server', plain, 'hosts', '--json'], token);
    const { hosts } = JSON.parse(stdout) as { hosts: { name: string }[] };
    expect(hosts.map(({ name }) => name)).toEqual(['db1']);
    expect(await busy(['--server', plain, 'host', 'web1'], token)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no host "web1".') as string,
    });
    const runs = JSON.parse((await busy(['--server', plain, 'runs', '--json'], token)).stdout) as {
      runs: unknown[];
    };
    expect(runs.runs).toEqual([]);
    const info = JSON.parse((await busy(['--server', plain, 'info', '--json'], token)).stdout) as object;
    expect(info).toMatchObject({ hostCount: 1, disks: [{ backupdir: dbaDisk }] });
    const { code, stderr } = await busy(['--server', plain, 'reload'], token);
    expect({ code, stderr }).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('"dba" is limited to db1') as string,
    });
  });

  it('ends what a token follows when it is revoked, and refuses it from then on', async () => {
    const token = await makeToken('--role', 'viewer', 'watcher');
    const watching = busy(['--server', plain, 'watch', '--json'], token);
    // The stream is open when a second call of the same token is answered after it; then it is ended by the daemon.
    expect((await busy(['--server', plain, 'hosts'], token)).code).toBe(0);
    expect((await onSocket(['token', 'revoke', 'watcher'])).stdout).toContain('counts no more');
    expect((await watching).code).toBe(4);
    expect(await busy(['--server', plain, 'hosts'], token)).toMatchObject({ code: 4 });
    expect((await onSocket(['token', 'list'])).stdout).not.toContain('watcher');
  });

  it('never writes a token into the log, but says that a wrong one was shown', async () => {
    const token = await makeToken('--role', 'viewer', 'leaky');
    const wrong = `${token.slice(0, -4)}AAAA`;
    expect((await busy(['--server', plain, 'hosts'], wrong)).code).toBe(4);
    await until(() => bed.daemonLog().includes('a wrong token was shown'), 'the log to say so');
    expect(bed.daemonLog()).not.toContain(wrong.slice(18));
    expect(bed.daemonLog()).not.toContain(token.slice(18));
  });
});

describe('TLS', () => {
  it('is spoken with the authority that is named, and refused without', async () => {
    const token = await makeToken('--role', 'viewer', 'tls');
    expect((await busy(['--server', secure, '--ca', tls('ca.crt'), 'hosts'], token)).code).toBe(0);
    const { code, stderr } = await busy(['--server', secure, 'hosts'], token);
    expect(code).toBe(3);
    expect(stderr).toContain('made by an authority that is not trusted here');
  });

  it('takes a certificate that stands for somebody, with his limit', async () => {
    const over = ['--server', secure, '--ca', tls('ca.crt')];
    const { code, stdout } = await busy([...over, ...certificate('carol'), 'hosts', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ hosts: [{ name: 'web1' }] });
    const refused = await busy([...over, ...certificate('mallory'), 'hosts']);
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('The certificate of "mallory" is genuine, but stands for nobody here.');
  });

  it('refuses certificates of another authority, and TLS older than 1.2', async () => {
    const elsewhere = join(bed.directory, 'elsewhere');
    await bed.busyd(['make-cert', '--dir', elsewhere, '--client', 'carol']);
    const files = ['--cert', join(elsewhere, 'carol.crt'), '--key', join(elsewhere, 'carol.key')];
    expect((await busy(['--server', secure, '--ca', tls('ca.crt'), ...files, 'hosts'])).code).toBe(3);
    await expect(handshake({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })).rejects.toThrow();
    expect((await handshake({ maxVersion: 'TLSv1.2' })).issuer).toContain('BUSY private authority');
  });

  it('shows a renewed certificate to new connections, without a restart; a bad one changes nothing', async () => {
    const before = await handshake();
    await writeFile(tls('server.crt'), 'half a certifica');
    await until(() => bed.daemonLog().includes('the old ones go on'), 'the bad file to be seen');
    expect((await handshake()).serialNumber).toBe(before.serialNumber);

    await rm(tls('server.crt'));
    await rm(tls('server.key'));
    expect((await bed.busyd(makeCert('--host', 'localhost', '--host', '127.0.0.1'))).code).toBe(0);
    await until(
      async () => (await handshake()).serialNumber !== before.serialNumber,
      'the new certificate to be shown',
    );
    const token = await makeToken('--role', 'viewer', 'renewed');
    expect((await busy(['--server', secure, '--ca', tls('ca.crt'), 'hosts'], token)).code).toBe(0);
  });
});

describe('make-cert', () => {
  it('never overwrites, keeps keys secret, and uses the authority again', async () => {
    const again = await bed.busyd(makeCert('--client', 'carol'));
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('carol.crt is there already. Move it away');
    for (const name of ['ca.key', 'server.key', 'carol.key'])
      expect((await stat(tls(name))).mode & 0o777).toBe(0o600);
    await mkdir(tls('away'));
    await rename(tls('ca.key'), tls('away/ca.key'));
    const without = await bed.busyd(makeCert('--client', 'dave'));
    expect(without.code).toBe(1);
    expect(without.stderr).toContain('bring both files back');
    for (const bad of ['../x', 'ca', ''])
      expect((await bed.busyd(makeCert('--client', bad))).stderr).toContain('is no good name');
  });
});

describe('busyd', () => {
  it('does not start where calls would cross a network in the clear, and says how to mend it', async () => {
    const file = join(bed.directory, 'open.yaml');
    await writeFile(
      file,
      JSON.stringify({ state_dir: join(bed.directory, 'other'), listen: 'tcp://0.0.0.0:0' }),
    );
    const { code, stderr } = await bed.busyd(['--config', file]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /listen: can be reached by other machines, so it needs TLS; allowed: set tls .*make-cert/,
    );
  });

  it('does not start with a key of TLS that anyone may read', async () => {
    await copyFile(tls('server.key'), tls('open.key'));
    await chmod(tls('open.key'), 0o644);
    const file = join(bed.directory, 'open-tls.yaml');
    const settings = { cert: tls('server.crt'), key: tls('open.key') };
    const config = { state_dir: join(bed.directory, 'other'), listen: 'tls://127.0.0.1:0', tls: settings };
    await writeFile(file, JSON.stringify(config));
    const { code, stderr } = await bed.busyd(['--config', file]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/warn +a file with secrets is not well kept.*open\.key/);
    expect(stderr).toContain('(mode 644); chmod 600 keeps it to its owner');
  });

  it('does not start with files of TLS that cannot be used', async () => {
    const file = join(bed.directory, 'bad-tls.yaml');
    const settings = { cert: tls('server.crt'), key: tls('carol.key') };
    await writeFile(
      file,
      JSON.stringify({ state_dir: join(bed.directory, 'other'), listen: 'tls://127.0.0.1:0', tls: settings }),
    );
    const { code, stderr } = await bed.busyd(['--config', file]);
    expect(code).toBe(1);
    expect(stderr).toContain('The files of tls cannot be used');
  });
});

function certificate(name: string): string[] {
  return ['--cert', tls(`${name}.crt`), '--key', tls(`${name}.key`)];
}

/** The certificate that the server shows. */
function handshake(options: ConnectionOptions = {}): Promise<X509Certificate> {
  const port = Number(new URL(secure.replace('tls:', 'https:')).port);
  return new Promise((resolve, reject) => {
    // Whom it trusts is none of the question here.
    const socket = connect({
      port,
      host: '127.0.0.1',
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
      ...options,
    });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw));
      socket.destroy();
    });
  });
}
