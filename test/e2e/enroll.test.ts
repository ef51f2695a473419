import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { TestBed } from '../helpers/test-bed.js';

describe('a host that nobody knows', () => {
  let bed: TestBed;
  let sshd: PrivateSshd;
  let line = '';

  beforeAll(async () => {
    bed = await TestBed.create();
    sshd = await bed.startSshd();
    await mkdir(join(bed.directory, 'source'));
    await writeFile(join(bed.directory, 'source/file'), 'mine');
    const srcdirs = [join(bed.directory, 'source')];
    const unknown = { host_key: undefined, identity_file: undefined, srcdirs };
    await bed.configure([
      bed.hostAt(sshd, { ...unknown, name: 'web1' }),
      bed.hostAt(sshd, { ...unknown, name: 'lacking', srcdirs: [...srcdirs, join(bed.directory, 'none')] }),
      bed.hostAt(sshd, { ...unknown, name: 'imported' }),
      bed.hostAt(sshd, {
        ...unknown,
        name: 'in-file',
        host_key: sshd.fingerprint,
        identity_file: sshd.identityFile,
      }),
    ]);
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  const identityFile = (host: string): string => join(bed.directory, 'state/keys', host);

  it('is not trusted unless somebody says which key is the right one', async () => {
    const run = await bed.backUp('web1');
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'IDENTITY_FILE_UNUSABLE' } });
    const silent = await bed.busy(['enroll', 'web1']);
    expect(silent).toMatchObject({ code: 2 });
    expect(silent.stdout).toContain(sshd.fingerprint);
    expect(silent.stderr).toContain('busy enroll web1 --fingerprint');
    const wrong = await bed.busy(['enroll', 'web1', '--fingerprint', `SHA256:${'A'.repeat(43)}`]);
    expect(wrong).toMatchObject({ code: 1 });
    expect(wrong.stderr).toContain('(HOST_KEY_NOT_SHOWN)');
    expect((await bed.busy(['host', 'web1'])).stdout).toContain('not pinned');
    await expect(stat(identityFile('web1'))).rejects.toThrow('ENOENT');
  });

  it('is pinned, gets a key of its own, and the line that lets it in', async () => {
    const first = await bed.busy(['enroll', 'web1', '--fingerprint', sshd.fingerprint]);
    expect(first).toMatchObject({ code: 0 });
    line = first.stdout.split('\n').find((text) => text.startsWith('restrict,')) ?? '';
    expect(line).toMatch(
      /^restrict,from="127\.0\.0\.1",command="\/usr\/bin\/rrsync -ro \/" ssh-ed25519 \S+ busy-web1@\S+$/,
    );
    const { mode } = await stat(identityFile('web1'));
    expect(mode & 0o777).toBe(0o600);
    const before = await readFile(identityFile('web1'));
    const again = await bed.busy(['enroll', 'web1', '--json']);
    expect(again).toMatchObject({ code: 1 });
    const told = JSON.parse(again.stdout) as { keyPair: object; check: { findings: object[] } };
    expect(told.keyPair).toMatchObject({ authorizedKeysLine: line });
    expect(told.check.findings).toMatchObject([{ subject: 'login', state: 'FINDING_STATE_PROBLEM' }]);
    expect(await readFile(identityFile('web1'))).toEqual(before);
    expect(again.stdout + first.stdout).not.toContain('PRIVATE KEY');
  });

  it('is tested through what the limited key allows, and backed up', async () => {
    await appendFile(join(sshd.directory, 'authorized_keys'), `${line}\n`);
    const checked = await bed.busy(['enroll', 'web1', '--check']);
    expect(checked.stdout).toContain('the key allows only rsync');
    expect(checked.stdout).toMatch(/source\s+can be read/);
    expect(checked).toMatchObject({ code: 0 });
    const run = await bed.backUp('web1');
    expect(run).toMatchObject({ state: RunState.SUCCEEDED });
    const kept = join(bed.snapshotPath(run), 'data', bed.directory, 'source/file');
    expect(await readFile(kept, 'utf8')).toBe('mine');
  });

  it.each([
    ['a command', ['id']],
    ['a shell', []],
    ['an rsync that writes', ['rsync --server -logDtpre.iLsfxCIvu . /tmp/busy-must-not-be']],
    ['rsync with a command behind it', ['rsync --server --sender -logDtpre.iLsfxCIvu . / ; id']],
    ['a file by sftp', ['-s', 'sftp']],
  ])('lets its key do nothing else: %s', async (_, words) => {
    const [option = '', ...rest] = words;
    const isOption = option.startsWith('-');
    const options = `-n -F none -i ${identityFile('web1')} -p ${sshd.port} -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null`;
    const command = promisify(execFile)(
      'ssh',
      [
        ...options.split(' '),
        ...(isOption ? [option] : []),
        `${sshd.user}@127.0.0.1`,
        ...(isOption ? rest : words),
      ],
      { timeout: 30_000 },
    );
    await expect(command).rejects.toMatchObject({
      killed: false,
      stdout: expect.not.stringContaining('uid='),
    });
    await expect(stat('/tmp/busy-must-not-be')).rejects.toThrow('ENOENT');
  });

  it('says what a source directory lacks', async () => {
    await bed.busy(['enroll', 'lacking', '--fingerprint', sshd.fingerprint]);
    const { stdout } = await bed.busy(['enroll', 'lacking', '--json']);
    const { keyPair } = JSON.parse(stdout) as { keyPair: { authorizedKeysLine: string } };
    await appendFile(join(sshd.directory, 'authorized_keys'), `${keyPair.authorizedKeysLine}\n`);
    const checked = await bed.busy(['enroll', 'lacking', '--check']);
    expect(checked).toMatchObject({ code: 1 });
    expect(checked.stdout).toMatch(/problem .*\/none .*No such file/);
    expect(checked.stdout).toMatch(/ok .*\/source .*can be read/);
    expect(checked.stdout).toContain('Correct srcdirs');
  });

  it('is pinned from a known_hosts file, hashed, with a port', async () => {
    const file = join(bed.directory, 'known_hosts');
    await writeFile(file, `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\nother ssh-ed25519 AAAA\n`);
    await promisify(execFile)('ssh-keygen', ['-H', '-f', file]);
    const result = await bed.busy(['enroll', '--known-hosts', file]);
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toMatch(/imported .*is pinned now/);
    expect(result.stdout).toMatch(/web1 .*is pinned already/);
    expect((await bed.busy(['host', 'imported'])).stdout).toContain(sshd.hostKey);
  });

  it('stays known when the daemon starts again, and the file stays as it was', async () => {
    const before = await readFile(bed.configFile, 'utf8');
    await bed.stopDaemon();
    await bed.startDaemon();
    expect((await bed.busy(['host', 'web1'])).stdout).toContain(sshd.hostKey);
    expect((await bed.backUp('web1')).state).toBe(RunState.SUCCEEDED);
    expect(await readFile(bed.configFile, 'utf8')).toBe(before);
  });

  it('is refused when its key has changed, until somebody replaces it', async () => {
    const old = sshd.fingerprint;
    await sshd.changeHostKey();
    const run = await bed.backUp('web1');
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'HOST_KEY_CHANGED' } });
    const refused = await bed.busy(['enroll', 'web1', '--fingerprint', sshd.fingerprint]);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('(HOST_KEY_CHANGED)');
    expect(refused.stderr).toContain(old);
    expect(refused.stderr).toContain(sshd.fingerprint);
    expect((await bed.busy(['enroll', 'web1', '--replace-key'])).code).toBe(2);
    expect((await bed.backUp('web1')).state).toBe(RunState.FAILED);
    const replaced = await bed.busy(['enroll', 'web1', '--replace-key', '--fingerprint', sshd.fingerprint]);
    expect(replaced).toMatchObject({ code: 0 });
    expect(replaced.stderr).toContain(old);
    expect((await bed.backUp('web1')).state).toBe(RunState.SUCCEEDED);
  });

  it('keeps the key that the file pins', async () => {
    const change = ['enroll', 'in-file', '--replace-key', '--fingerprint', sshd.fingerprint];
    const { code, stderr } = await bed.busy(change);
    expect(code).toBe(1);
    expect(stderr).toContain('(HOST_KEY_IN_FILE)');
    expect(stderr).toContain(bed.configFile);
  });

  it('is looked at by the doctor, with all others and the server', async () => {
    const all = await bed.busy(['doctor', '--json']);
    expect(all).toMatchObject({ code: 1, stderr: '' });
    const told = JSON.parse(all.stdout) as {
      server: { subject: string; state: string }[];
      hosts: { host: string; findings: { subject: string; state: string }[] }[];
    };
    expect(told.hosts.map(({ host }) => host)).toEqual(['imported', 'in-file', 'lacking', 'web1']);
    expect(told.hosts[3]?.findings.every(({ state }) => state === 'FINDING_STATE_OK')).toBe(true);
    expect(told.server.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining([
        identityFile('web1'),
        `backupdir ${bed.backupdir}`,
        'database',
        'rsync',
        'mail',
      ]),
    );
    const one = await bed.busy(['doctor', 'web1']);
    expect(one).toMatchObject({ code: 0 });
    expect(one.stdout).toContain('0 problems');
  });

  it('is not logged in to with a key that others may read', async () => {
    await chmod(identityFile('web1'), 0o644);
    const run = await bed.backUp('web1');
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'IDENTITY_FILE_UNUSABLE' } });
    expect(run.error?.message).toContain('others may read it (mode 644)');
    const found = await bed.busy(['doctor']);
    expect(found).toMatchObject({ code: 1 });
    expect(found.stdout).toContain(`chmod 600 ${identityFile('web1')}`);
  });
});
