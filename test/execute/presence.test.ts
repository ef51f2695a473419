import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startPrivateSshd, type PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { keyFingerprint } from '../../clients/quickstart/ssh-keys.js';
import type { Host } from '../../src/core/host.js';
import type { Presence } from '../../src/core/presence.js';
import { HostPresence } from '../../src/execute/presence.js';
import { NameLookup } from '../../src/execute/name-lookup.js';
import { sampleHost } from '../helpers/sample-host.js';
import { until } from '../helpers/test-bed.js';

/** Names that are known; the lookup of any other one never ends by itself. */
const known: Readonly<Record<string, readonly string[]>> = {
  here: ['127.0.0.1'],
  'here-at-the-second': ['::1', '127.0.0.1'],
  unknown: [],
};

describe('a host', () => {
  let directory: string;
  let sshd: PrivateSshd;
  let stranger: PrivateSshd;
  let presence: HostPresence;
  const servers: Server[] = [];
  const open: Socket[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'busy-presence-'));
    const hostKeyTypes = ['ed25519', 'rsa'] as const;
    sshd = await startPrivateSshd({ directory: join(directory, 'sshd'), hostKeyTypes });
    stranger = await startPrivateSshd({ directory: join(directory, 'stranger') });
    presence = new HostPresence(
      new NameLookup((name, signal) => {
        const addresses = known[name];
        if (addresses) return Promise.resolve(addresses);
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));
      }),
    );
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });
  afterAll(async () => {
    presence.close();
    await sshd.stop();
    await stranger.stop();
    await rm(directory, { recursive: true });
  });

  function lookFor(changes: Partial<Host> = {}): Promise<Presence> {
    const { port, hostKey } = sshd;
    return presence.lookFor(sampleHost({ addresses: ['127.0.0.1'], port, hostKey, ...changes }));
  }

  /** A server that does with each connection what it is told; answers its port. */
  async function serve(greet: (socket: Socket) => void, address = '127.0.0.1', port = 0): Promise<number> {
    const server = createServer((socket) => {
      open.push(socket);
      socket.on('error', () => {});
      greet(socket);
    });
    servers.push(server);
    server.listen(port, address);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  function passOn(from: Socket, { port }: PrivateSshd): void {
    const to = connect(port, '127.0.0.1');
    open.push(to);
    to.on('error', () => from.destroy());
    from.pipe(to).pipe(from);
  }

  test.each([
    ['its key', () => sshd.hostKey],
    ['the fingerprint of its key', () => sshd.fingerprint],
    ['no key', () => ''],
  ])('is online with %s pinned', async (_, hostKey) => {
    expect(await lookFor({ hostKey: hostKey() })).toEqual({
      isOnline: true,
      reason: 'it answers at 127.0.0.1',
    });
  });

  test('is online with the fingerprint of its second key pinned', async () => {
    const rsa = await readFile(join(sshd.directory, 'host_rsa_key.pub'), 'utf8');
    expect(await lookFor({ hostKey: rsa.trim() })).toMatchObject({ isOnline: true });
    expect(await lookFor({ hostKey: keyFingerprint(rsa) })).toMatchObject({ isOnline: true });
  });

  test('is known before anyone logs in: sshd hears of no user', async () => {
    await lookFor({ user: 'nobody-logs-in' });
    expect(await readFile(sshd.logFile, 'utf8')).not.toContain('nobody-logs-in');
  });

  test('with one address and another key there is online, so that its backup says so at once', async () => {
    expect(await lookFor({ port: stranger.port })).toEqual({
      isOnline: true,
      reason: `another machine answers at 127.0.0.1 (key ${stranger.fingerprint})`,
    });
    const rsa = await readFile(join(sshd.directory, 'host_rsa_key.pub'), 'utf8');
    expect(await lookFor({ port: stranger.port, hostKey: rsa.trim() })).toEqual({
      isOnline: true,
      reason: 'another machine answers at 127.0.0.1 (no key of type rsa-sha2-512, rsa-sha2-256)',
    });
  });

  test('with its key at the second address is online there', async () => {
    await serve((socket) => passOn(socket, stranger), '127.0.0.2', sshd.port);
    for (const hostKey of [sshd.hostKey, sshd.fingerprint]) {
      expect(await lookFor({ hostKey, addresses: ['127.0.0.2', '127.0.0.1'] })).toEqual({
        isOnline: true,
        reason: 'it answers at 127.0.0.1',
      });
    }
  });

  test('with a stranger at one of several addresses, and nowhere itself, is away', async () => {
    await serve((socket) => passOn(socket, stranger), '127.0.0.2', sshd.port);
    expect(await lookFor({ addresses: ['127.0.0.3', '127.0.0.2', 'unknown'] })).toEqual({
      isOnline: false,
      reason:
        'no SSH server answers at 127.0.0.3; ' +
        `another machine answers at 127.0.0.2 (key ${stranger.fingerprint}); ` +
        'the name unknown cannot be resolved',
    });
  });

  test.each([
    ['something else answers', (socket: Socket) => void socket.end('220 mail.example.org ESMTP\r\n')],
    ['something else answers and stays', (socket: Socket) => void socket.write('+OK ready\r\n')],
    ['garbage is sent', (socket: Socket) => void socket.end(Buffer.alloc(100_000, 0xfe))],
    ['the connection is closed at once', (socket: Socket) => void socket.end()],
    ['nothing is said', () => {}],
    ['the greeting is not followed by anything', (socket: Socket) => void socket.write('SSH-2.0-x\r\n')],
  ])('is away when %s', async (_, greet) => {
    const port = await serve(greet);
    expect(await lookFor({ port, connectTimeoutMs: 500 })).toEqual({
      isOnline: false,
      reason: 'no SSH server answers at 127.0.0.1',
    });
  });

  test('that greets but cannot agree on anything is online: its backup says why it is impossible', async () => {
    const port = await serve((socket) => void socket.end('SSH-2.0-old\r\n'));
    expect(await lookFor({ port })).toMatchObject({ isOnline: true });
  });

  test('may be as slow to greet as its connect_timeout allows, and delays no other', async () => {
    const waiting: (() => void)[] = [];
    const port = await serve((socket) => waiting.push(() => passOn(socket, sshd)));
    const slow = Array.from({ length: 70 }, (_, index) =>
      lookFor({ name: `slow-${index}`, port, connectTimeoutMs: 60_000 }),
    );
    await until(() => waiting.length >= 16, 'as many as are asked at once');
    expect(await lookFor({ name: 'quick' })).toMatchObject({ isOnline: true });
    await until(() => waiting.length === 70, 'the others to be asked too');
    for (const answer of waiting.splice(0)) answer();
    const isOnline = (await Promise.all(slow)).map((answer) => answer.isOnline);
    expect(new Set(isOnline)).toEqual(new Set([true]));
  });

  test('is found by its name, at any of its addresses', async () => {
    expect(await lookFor({ addresses: ['here'] })).toMatchObject({ reason: 'it answers at here' });
    expect(await lookFor({ addresses: ['here-at-the-second'] })).toMatchObject({ isOnline: true });
  });

  test('is not held up by names whose lookup hangs, and one of those is away when the daemon ends', async () => {
    const hanging = Array.from({ length: 20 }, (_, index) =>
      lookFor({ name: `lost-${index}`, addresses: [`hangs-${index}`] }),
    );
    const ended: unknown[] = [];
    for (const answer of hanging) void answer.then((found) => ended.push(found));
    expect(await lookFor({ addresses: ['here'] })).toMatchObject({ isOnline: true });
    expect(await lookFor({ addresses: ['127.0.0.1'] })).toMatchObject({ isOnline: true });
    expect(ended).toEqual([]);

    const silent = await serve(() => {});
    const looked = lookFor({ name: 'silent', port: silent });
    await until(() => open.length === 1, 'the connection');
    presence.close();
    expect(await Promise.all(hanging)).toHaveLength(20);
    expect(ended[0]).toEqual({ isOnline: false, reason: 'the name hangs-0 cannot be resolved' });
    expect(await looked).toMatchObject({ isOnline: false });
    expect(await lookFor()).toMatchObject({ isOnline: false });
  });
});
