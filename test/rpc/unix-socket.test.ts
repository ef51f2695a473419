import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BackupServiceClient } from '../../src/gen/busy/v1/backup_service.js';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { createRpcServer, type RpcServer } from '../../src/rpc/server.js';
import { call, fakeParts } from './fixture.js';

let directory: string;
let file: string;
const servers: RpcServer[] = [];
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'busy-sock-'));
  file = path.join(directory, 'run', 'busyd.sock');
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(0);
  await rm(directory, { recursive: true });
});

async function newServer(): Promise<RpcServer> {
  const server = await createRpcServer(fakeParts());
  servers.push(server);
  return server;
}

async function pidOver(socket: string): Promise<number> {
  const client = new BackupServiceClient(`unix:${socket}`, credentials.createInsecure());
  try {
    return (await call({ client }, DaemonServiceService.getDaemonInfo, {})).pid;
  } finally {
    client.close();
  }
}

/** The socket of a process that was killed. */
async function leaveStaleSocket(socket: string): Promise<void> {
  const program = `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

it('has the mode 0660 in a directory of 0750, and is removed at the end with nothing left', async () => {
  const server = await newServer();
  expect(await server.listen([{ kind: 'unix', path: file }])).toEqual([`unix:${file}`]);
  expect((await stat(file)).mode & 0o777).toBe(0o660);
  expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o750);
  expect(await readdir(path.dirname(file))).toEqual(['busyd.sock']);
  expect(await pidOver(file)).toBe(42);
  await server.stop();
  expect(await readdir(path.dirname(file))).toEqual([]);
});

it('listens on several endpoints at once', async () => {
  const server = await newServer();
  const bound = await server.listen([
    { kind: 'unix', path: file },
    { kind: 'tcp', host: '127.0.0.1', port: 0, isTls: false },
    { kind: 'tcp', host: '127.0.0.1', port: 0, isTls: false },
  ]);
  expect(bound).toEqual([
    `unix:${file}`,
    expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/),
    expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/),
  ]);
});

it('replaces the socket of a daemon that died', async () => {
  file = path.join(directory, 'busyd.sock');
  await leaveStaleSocket(file);
  expect((await stat(file)).isSocket()).toBe(true);
  await (await newServer()).listen([{ kind: 'unix', path: file }]);
  expect(await pidOver(file)).toBe(42);
  expect((await stat(file)).mode & 0o777).toBe(0o660);
});

it('refuses a socket that is answered, and leaves it alone', async () => {
  await (await newServer()).listen([{ kind: 'unix', path: file }]);
  const second = await newServer();
  await expect(
    second.listen([
      { kind: 'tcp', host: '127.0.0.1', port: 0, isTls: false },
      { kind: 'unix', path: file },
    ]),
  ).rejects.toThrow(`A daemon already listens on ${file}. Stop it first`);
  expect(await pidOver(file)).toBe(42);
  expect(await readdir(path.dirname(file))).toEqual(['busyd.sock']);
});

it('refuses a file that is no socket, and leaves it alone', async () => {
  file = path.join(directory, 'notes.txt');
  await writeFile(file, 'mine');
  await expect((await newServer()).listen([{ kind: 'unix', path: file }])).rejects.toThrow(/is not a socket/);
  expect((await stat(file)).size).toBe(4);
});

it('refuses a path that is too long for a socket', async () => {
  const long = path.join(directory, 'x'.repeat(100));
  await expect((await newServer()).listen([{ kind: 'unix', path: long }])).rejects.toThrow(/bytes too long/);
});

it('refuses a port that is taken, by name', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  await expect(
    (await newServer()).listen([{ kind: 'tcp', host: '127.0.0.1', port, isTls: false }]),
  ).rejects.toThrow(
    new RegExp(`cannot listen on tcp://127\\.0\\.0\\.1:${port}: .*EADDRINUSE.* Stop what listens there`),
  );
  other.close();
});

it('does not remove a socket that another daemon has put in its place', async () => {
  const first = await newServer();
  await first.listen([{ kind: 'unix', path: file }]);
  await rm(file);
  await (await newServer()).listen([{ kind: 'unix', path: file }]);
  await first.stop();
  expect(await pidOver(file)).toBe(42);
});
