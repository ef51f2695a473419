/** What sshd refuses to root, a server of our own takes: signals for a command whose input has ended. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { expect, it } from 'vitest';
import { makeKeyPair } from '../../clients/quickstart/ssh-keys.js';
import { betweenCommands } from '../../src/execute/host-commands.js';
import { connectSsh } from '../../src/execute/ssh.js';
import { sampleHost } from '../helpers/sample-host.js';

it('a command that takes too long gets SIGTERM, and SIGKILL when that does not end it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'busy-signal-'));
  const [identityFile, hostKeyFile] = [join(directory, 'key'), join(directory, 'host_key')];
  await makeKeyPair(identityFile, 'ed25519');
  const hostKey = await makeKeyPair(hostKeyFile, 'ed25519');
  const signals: string[] = [];
  let endCommand: (() => void) | undefined;
  // The events of the server end with the input of a command, but it still tells what it gets.
  const debug = (line: string): void => {
    const name = /CHANNEL_REQUEST \(.*, signal: (\w+)\)/.exec(line)?.[1];
    if (name !== undefined) signals.push(name);
    if (name === 'KILL') endCommand?.();
  };
  const server = new ssh2.Server({ hostKeys: [await readFile(hostKeyFile)], debug }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => context.accept());
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec) => {
        const channel = acceptExec();
        channel.on('error', () => {});
        channel.write('dumping\n');
        endCommand = () => channel.exit('KILL');
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = sampleHost({ port, identityFile, hostKey, preCommand: 'dump', commandTimeoutMs: 200 });
  const never = new AbortController().signal;
  const connection = await connectSsh(host, '127.0.0.1', never);
  const context = { host, connection, say: () => {}, signal: never, haste: never };
  await expect(betweenCommands(context, () => Promise.resolve())).rejects.toThrow(
    'took longer than 0.2 seconds (command_timeout) and was ended, so it was not backed up; the last it wrote is: dumping.',
  );
  expect(signals).toEqual(['TERM', 'KILL']);
  connection.close();
  await connection.closed;
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true, force: true });
});
