import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fingerprintOfPin } from '../../src/execute/host-key.js';
import { keysIn } from '../../src/execute/known-hosts.js';
import { prepareIdentity, readIdentity } from '../../src/execute/ssh-identity.js';
import { sampleHost } from '../helpers/sample-host.js';

let directory: string;
let ed25519: string;
let rsa: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-keys-'));
  [ed25519, rsa] = await Promise.all([makeKey('ed25519'), makeKey('rsa')]);
});
afterAll(() => rm(directory, { recursive: true }));

test('finds plain names, patterns, ports and names that ssh-keygen hashed; the best key first', async () => {
  const text = `# a comment
web1,192.0.2.10 ${rsa}
web1 ${ed25519} with a comment
*.example.org,!bad.example.org ${ed25519}
[web2]:2222 ${ed25519}
@cert-authority web3 ${ed25519}
web4 ssh-ed25519 AAAAB3NzaC1yc2E=
broken line
`;
  const file = join(directory, 'known_hosts');
  // ssh-keygen takes no file with lines that it does not understand.
  await writeFile(file, text.replace(/^(web4|broken).*\n/gm, ''));
  const found = (name: string, port = 22): string[] =>
    keysIn(text, [name], port).map(({ hostKey }) => hostKey);
  expect(found('web1')).toEqual([ed25519, rsa]);
  expect(found('WEB1')).toEqual([ed25519, rsa]);
  expect(found('192.0.2.10')).toEqual([rsa]);
  expect(found('a.example.org')).toEqual([ed25519]);
  for (const name of ['bad.example.org', 'aXexample.org', 'web2', 'web3', 'web4', 'other'])
    expect(found(name)).toEqual([]);
  expect(found('web2', 2222)).toEqual([ed25519]);
  await promisify(execFile)('ssh-keygen', ['-H', '-f', file]);
  const hashed = await readFile(file, 'utf8');
  expect(hashed).toContain('|1|');
  expect(hashed).not.toContain('192.0.2.10');
  expect(keysIn(hashed, ['192.0.2.10'], 22).map(({ hostKey }) => hostKey)).toEqual([rsa]);
  expect(keysIn(hashed, ['web2'], 2222).map(({ hostKey }) => hostKey)).toEqual([ed25519]);
  expect(keysIn(hashed, ['other'], 22)).toEqual([]);
});

test('a revoked key comes first, so that nobody takes another for good', () => {
  const text = `web1 ${rsa}\n@revoked web1 ${ed25519}\n`;
  expect(keysIn(text, ['web1'], 22)[0]).toEqual({ hostKey: ed25519, isRevoked: true });
});

test('a key pair is made once, for its owner alone, and OpenSSH reads it', async () => {
  const identityFile = join(directory, 'keys/web1');
  const host = sampleHost({ identityFile });
  const made = await prepareIdentity(host, 'busy-web1@server');
  expect(made.isNew).toBe(true);
  const { stdout: mode } = await promisify(execFile)('stat', [
    '-c',
    '%a',
    identityFile,
    join(directory, 'keys'),
  ]);
  expect(mode).toBe('600\n700\n');
  const { stdout: publicKey } = await promisify(execFile)('ssh-keygen', ['-y', '-f', identityFile]);
  expect(publicKey.trim()).toBe(made.publicKey);
  const before = await readIdentity(host);
  expect(await prepareIdentity(host, 'busy-web1@server')).toEqual({ ...made, isNew: false });
  expect(await readIdentity(host)).toEqual(before);
});

test('a file that is no key is neither used nor overwritten', async () => {
  const identityFile = join(directory, 'no-key');
  await writeFile(identityFile, 'precious');
  const host = sampleHost({ identityFile });
  await expect(prepareIdentity(host, 'x')).rejects.toMatchObject({ reason: 'IDENTITY_FILE_UNUSABLE' });
  expect(await readFile(identityFile, 'utf8')).toBe('precious');
});

async function makeKey(type: string): Promise<string> {
  const file = join(directory, `host_${type}`);
  await promisify(execFile)('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', file]);
  const [name, bytes] = (await readFile(`${file}.pub`, 'utf8')).trim().split(' ');
  const { stdout } = await promisify(execFile)('ssh-keygen', ['-l', '-f', `${file}.pub`]);
  expect(stdout).toContain(fingerprintOfPin(`${name} ${bytes}`));
  return `${name} ${bytes}`;
}
