/** The gateway of the page over TLS, as a browser meets it but without one: sessions, records, certificates. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, readFile, rm } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand } from '../helpers/run-command.js';
import { TestBed, until } from '../helpers/test-bed.js';

const program = new URL('../../dist/clients/web/gateway/main.js', import.meta.url).pathname;
const tls = (name: string): string => join(bed.directory, 'tls', name);

let bed: TestBed;
let gateway: ChildProcess;
let url = '';
let said = '';
let ca: Buffer;
let token = '';

beforeAll(async () => {
  bed = await TestBed.create();
  await makeCertificates();
  ca = await readFile(tls('ca.crt'));
  const host = { name: 'web1', addresses: ['127.0.0.1'], port: 1, backupdir: bed.backupdir };
  await bed.configure([{ ...host, srcdirs: ['/etc'], schedule: 'never', verify_every: 0 }]);
  await bed.startDaemon();
  const created = await bed.busy(['token', 'create', '--role', 'operator', '--json', 'alice']);
  ({ token } = JSON.parse(created.stdout) as { token: string });
  gateway = spawn(process.execPath, [program, ...words(tls('server.key'))], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  gateway.stdout?.setEncoding('utf8').on('data', (text: string) => {
    url = /https:\S+/.exec(text)?.[0] ?? url;
  });
  gateway.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  await until(
    () => url !== '' || gateway.exitCode !== null,
    'the gateway to start',
    () => said,
  );
});
afterAll(async () => {
  const ended = once(gateway, 'exit');
  gateway.kill();
  await ended;
  await bed.end();
});

function words(key: string): string[] {
  const server = ['--listen', '127.0.0.1:0', '--server', `unix:${bed.socket}`];
  return [...server, '--tls-cert', tls('server.crt'), '--tls-key', key];
}

async function makeCertificates(): Promise<void> {
  const hosts = ['--host', 'localhost', '--host', '127.0.0.1'];
  expect((await bed.busyd(['make-cert', '--dir', join(bed.directory, 'tls'), ...hosts])).code).toBe(0);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Settles with what came until the answer ended, or was broken off. */
  readonly body: Promise<string>;
}

async function ask(path: string, options: RequestOptions, body: string | Buffer = ''): Promise<Answer> {
  const asked = request(`${url}${path}`, { ca, ...options });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const text = new Promise<string>((resolve) => {
    let all = '';
    response.on('data', (part: Buffer) => (all += part.toString('latin1')));
    response.on('error', () => undefined);
    response.on('close', () => resolve(all));
  });
  return { status: response.statusCode ?? 0, headers: response.headers, body: text };
}

async function logIn(): Promise<string> {
  const { status, headers } = await ask('session', { method: 'POST' }, token);
  expect(status).toBe(204);
  return headers['set-cookie']?.[0] ?? '';
}

it('gives a cookie that no neighbour can plant, and tells browsers to come over TLS only', async () => {
  const cookie = await logIn();
  expect(cookie).toMatch(
    /^__Host-busy_session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  );
  const { status, headers } = await ask('session', { headers: { cookie } });
  expect(status).toBe(204);
  expect(headers['strict-transport-security']).toBe('max-age=31536000');
});

it('says from where a browser came, in the audit log and where it gave a wrong token', async () => {
  const cookie = await logIn();
  const headers = { cookie, 'content-type': 'application/json' };
  const call = { method: 'POST', headers };
  const started = await ask('api/busy.v1.BackupService/TriggerBackup', call, '{"host":"web1"}');
  const { run } = JSON.parse(await started.body) as { run: { id: string } };
  const { entries } = JSON.parse((await bed.busy(['audit', '--json'])).stdout) as { entries: object[] };
  expect(entries[0]).toMatchObject({
    caller: 'alice',
    call: 'TriggerBackup',
    saidAddress: '127.0.0.1',
    runId: run.id,
    tokenId: token.split('_')[1],
  });
  expect((await bed.busy(['audit'])).stdout).toMatch(/alice +\(127\.0\.0\.1\) +TriggerBackup.*-> run/);
  const wrong = await ask('session', { method: 'POST' }, `${token}x`);
  expect(wrong.status).toBe(401);
  await until(
    () => said.includes('a wrong token was given in a browser at 127.0.0.1 (1 in a row)'),
    'a word',
  );
  expect(bed.daemonLog()).toMatch(/a wrong token was shown .*saidAddress=127\.0\.0\.1/);
  expect(said + bed.daemonLog()).not.toContain(token.slice(18));
});

it('ends what a session has running when it is logged out of', async () => {
  const [cookie, other] = [await logIn(), await logIn()];
  const watch = async (whose: string): Promise<Answer> => {
    // Something to begin with: the run above.
    const message = Buffer.from('{"afterRevision":"1"}');
    const head = Buffer.from([0, 0, 0, 0, message.length]);
    const headers = { cookie: whose, 'content-type': 'application/connect+json' };
    const call = { method: 'POST', headers };
    return ask('api/busy.v1.BackupService/WatchRuns', call, Buffer.concat([head, message]));
  };
  const [watched, others] = [await watch(cookie), await watch(other)];
  let hasOtherEnded = false;
  void others.body.then(() => (hasOtherEnded = true));
  expect([watched.status, others.status]).toEqual([200, 200]);
  expect((await ask('session', { method: 'DELETE', headers: { cookie } })).status).toBe(204);
  await watched.body;
  expect(hasOtherEnded).toBe(false);
  expect((await ask('session', { headers: { cookie } })).status).toBe(401);
  expect((await ask('session', { headers: { cookie: other } })).status).toBe(204);
  await ask('session', { method: 'DELETE', headers: { cookie: other } });
  await others.body;
});

it('takes a renewed certificate over without a restart, and no key that anyone may read', async () => {
  const before = await serialNumber();
  for (const name of ['server.crt', 'server.key']) await rm(tls(name));
  await makeCertificates();
  await until(async () => (await serialNumber()) !== before, 'the new certificate');
  const cookie = await logIn();
  expect((await ask('session', { headers: { cookie } })).status).toBe(204);

  await copyFile(tls('server.key'), tls('open.key'));
  await chmod(tls('open.key'), 0o644);
  const refused = await runCommand(process.execPath, [program, ...words(tls('open.key'))]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('(mode 644); chmod 600 keeps it to its owner');
});

async function serialNumber(): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), ca });
  await once(socket, 'secureConnect');
  const { serialNumber: number } = socket.getPeerCertificate();
  socket.destroy();
  return number;
}
