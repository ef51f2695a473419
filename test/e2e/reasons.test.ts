import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freeLoopbackPort } from '../../clients/quickstart/loopback-port.js';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { makeKeyPair } from '../../clients/quickstart/ssh-keys.js';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { TestBed } from '../helpers/test-bed.js';

/** rsync on the host as a user who is not root. */
const asNobody =
  process.getuid?.() === 0 ? 'setpriv --reuid 65534 --regid 65534 --clear-groups rsync' : 'rsync';

const runProgram = promisify(execFile);

/** Why a host cannot be backed up, and in which words busy says so. */
interface Hindrance {
  readonly host: string;
  readonly reason: string;
  /** Parts of the sentence and of the advice. */
  readonly words: readonly string[];
  /** A probe of the host does not meet it. */
  readonly isProbeFine?: true;
}

const hindrances: readonly Hindrance[] = [
  {
    host: 'silent',
    reason: 'HOST_UNREACHABLE',
    words: ['"silent"', '127.0.0.1', 'no answer', 'switched on'],
  },
  { host: 'hang-up', reason: 'HOST_UNREACHABLE', words: ['"hang-up"', 'closed the connection at once'] },
  { host: 'wrong-port', reason: 'CONNECTION_REFUSED', words: ['"wrong-port"', 'sshd', 'port'] },
  { host: 'http', reason: 'NOT_SSH', words: ['"http"', 'does not speak SSH', 'Check the port'] },
  { host: 'refused-key', reason: 'SSH_KEY_REFUSED', words: ['other_key', 'authorized_keys'] },
  {
    host: 'no-key',
    reason: 'IDENTITY_FILE_UNUSABLE',
    words: ['no_such_key', 'no such file', 'busy enroll no-key'],
  },
  { host: 'passphrase', reason: 'IDENTITY_FILE_UNUSABLE', words: ['locked_key', 'passphrase'] },
  { host: 'changed-key', reason: 'HOST_KEY_CHANGED', words: ['SHA256:', 'is pinned', 'Nothing was sent'] },
  { host: 'unpinned', reason: 'HOST_KEY_UNKNOWN', words: ['SHA256:', 'busy enroll unpinned'] },
  { host: 'hostname', reason: 'HOSTNAME_MISMATCH', words: ['"another-machine"', 'Correct hostname'] },
  { host: 'no-rsync', reason: 'RSYNC_MISSING', words: ['host "no-rsync"', 'apt-get', 'rsync_path'] },
  {
    host: 'no-source',
    reason: 'SOURCE_MISSING',
    words: ['/no/such/directory', 'Correct srcdirs'],
    isProbeFine: true,
  },
  {
    host: 'closed-source',
    reason: 'SOURCE_UNREADABLE',
    words: ['/closed on host', 'sudo rsync'],
    isProbeFine: true,
  },
  {
    host: 'no-backupdir',
    reason: 'BACKUPDIR_UNUSABLE',
    words: ['/not-mounted', 'Create or mount it'],
    isProbeFine: true,
  },
  {
    host: 'file-as-backupdir',
    reason: 'BACKUPDIR_UNUSABLE',
    words: ['busy.yaml', 'Create or mount it'],
    isProbeFine: true,
  },
  { host: 'full-disk', reason: 'DISK_FULL', words: ['No space left', 'Free space'], isProbeFine: true },
];

describe('what hinders a backup', () => {
  let bed: TestBed;
  let sshd: PrivateSshd;
  let smallDisk: string;
  const servers: Server[] = [];

  beforeAll(async () => {
    bed = await TestBed.create();
    sshd = await bed.startSshd();
    const changed = await bed.startSshd();
    const pinnedBefore = changed.hostKey;
    await changed.changeHostKey();
    const at = (name: string): string => join(bed.directory, name);
    // Directories of mkdtemp are closed to all others.
    await chmod(bed.directory, 0o711);
    await mkdir(at('source'));
    await writeFile(at('source/file'), randomBytes(3_000_000));
    await mkdir(at('closed'), { mode: 0o700 });
    await chmod(at('closed'), process.getuid?.() === 0 ? 0o700 : 0);
    await makeKeyPair(at('other_key'), 'ed25519');
    await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', at('locked_key')]);
    smallDisk = at('small-disk');
    await mkdir(smallDisk);
    await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', smallDisk]);
    const host = (name: string, settings: Readonly<Record<string, unknown>>) =>
      bed.hostAt(sshd, { name, srcdirs: [at('source')], connect_timeout: '2s', ...settings });
    await bed.configure([
      host('silent', { port: await listen(servers, createServer()) }),
      host('hang-up', {
        port: await listen(
          servers,
          createServer((socket) => socket.end()),
        ),
      }),
      host('wrong-port', { port: await freeLoopbackPort() }),
      host('http', { port: await listen(servers, createHttpServer()) }),
      host('refused-key', { identity_file: at('other_key') }),
      host('no-key', { identity_file: at('no_such_key') }),
      host('passphrase', { identity_file: at('locked_key') }),
      host('changed-key', {
        port: changed.port,
        identity_file: changed.identityFile,
        host_key: pinnedBefore,
      }),
      host('hostname', { hostname: 'another-machine' }),
      { ...host('unpinned', {}), host_key: undefined },
      host('no-rsync', { rsync_path: '/no/such/rsync' }),
      host('no-source', { srcdirs: ['/no/such/directory'] }),
      host('closed-source', { srcdirs: [at('closed')], rsync_path: asNobody }),
      host('no-backupdir', { backupdir: at('not-mounted') }),
      host('file-as-backupdir', { backupdir: bed.configFile }),
      host('full-disk', { backupdir: smallDisk }),
    ]);
    await bed.startDaemon();
  });

  afterAll(async () => {
    for (const server of servers) server.close();
    await bed.stopDaemon();
    await runProgram('umount', [smallDisk]);
    await bed.end();
  });

  it.each(hindrances)('$host: $reason, told by backup --follow', async ({ host, reason, words }) => {
    const { code, stdout } = await bed.busy(['backup', host, '--follow']);
    expect(stdout).toContain(`(${reason})`);
    for (const word of words) expect(stdout).toContain(word);
    expect(code).toBe(1);
    const { id, state, error, snapshot } = await bed.lastRun(host);
    expect({ state, reason: error?.reason, snapshot }).toEqual({
      state: RunState.FAILED,
      reason,
      snapshot: '',
    });
    expect(await bed.readRunLog(id)).toContain(`ended: FAILED (${reason}: ${error?.message})`);
  });

  it.each(hindrances.filter(({ isProbeFine }) => !isProbeFine))(
    '$host: $reason, told by probe',
    async ({ host, reason, words }) => {
      const { code, stderr } = await bed.busy(['probe', host]);
      expect(stderr).toContain(`(${reason})`);
      for (const word of words) expect(stderr).toContain(word);
      expect(code).toBe(1);
    },
  );

  it.each(hindrances.filter(({ isProbeFine }) => isProbeFine))(
    '$host: a probe is fine, since it does not look at directories',
    async ({ host }) => {
      expect(await bed.busy(['probe', host])).toMatchObject({ code: 0, stderr: '' });
    },
  );

  it('fault 11: no setting switches the checking of host keys off', async () => {
    for (const [host, reason] of [
      ['changed-key', 'HOST_KEY_CHANGED'],
      ['unpinned', 'HOST_KEY_UNKNOWN'],
    ] as const)
      expect((await bed.backUp(host)).error?.reason).toBe(reason);
    const insecure = [
      { rsync_opts: '-a -e "ssh -o StrictHostKeyChecking=no"' },
      { rsync_opts: '--rsh=ssh' },
      { host_key: 'any' },
      { host_key: '*' },
      { host_key_checking: false },
    ];
    for (const settings of insecure) {
      const file = join(bed.directory, 'insecure.yaml');
      await writeFile(file, JSON.stringify({ hosts: [{ name: 'web1', srcdirs: ['/etc'], ...settings }] }));
      const { code, stderr } = await bed.busyd(['check-config', file]);
      expect(code).not.toBe(0);
      expect(stderr).toContain(Object.keys(settings)[0]);
    }
  });

  it('says of an unknown host that there is none', async () => {
    for (const args of [
      ['backup', 'nobody'],
      ['probe', 'nobody'],
      ['host', 'nobody'],
      ['snapshots', 'nobody'],
    ]) {
      const { code, stdout, stderr } = await bed.busy(args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('There is no host "nobody".');
      expect(stderr).toContain('(HOST_NOT_FOUND)');
    }
  });
});

describe('the rsync on the server', () => {
  let bed: TestBed;

  beforeAll(async () => {
    bed = await TestBed.create();
    await bed.configure([bed.hostAt(await bed.startSshd(), { name: 'web1', srcdirs: ['/etc'] })]);
  });
  afterAll(() => bed.end());

  it('must be there', async () => {
    await bed.startDaemon({ PATH: bed.backupdir });
    const { code, stdout } = await bed.busy(['backup', 'web1', '--follow']);
    expect(stdout).toContain('rsync cannot be started on the server.');
    expect(stdout).toContain('(RSYNC_MISSING)');
    expect(code).toBe(1);
    expect((await bed.busy(['info'])).stdout).toContain('none: no backup can be made');
    await bed.stopDaemon();
  });

  it('must not be older than 3.2.4', async () => {
    await bed.writeProgram('old/rsync', "#!/bin/sh\necho 'rsync  version 3.1.3  protocol version 31'\n");
    await bed.startDaemon({ PATH: `${join(bed.directory, 'old')}:${process.env.PATH}` });
    const { code, stdout } = await bed.busy(['backup', 'web1', '--follow']);
    expect(stdout).toContain('rsync on the server is 3.1.3');
    expect(stdout).toContain('(RSYNC_TOO_OLD)');
    expect(code).toBe(1);
  });
});

async function listen(servers: Server[], server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
