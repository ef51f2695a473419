import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { TestBed, until, type HostSettings } from '../helpers/test-bed.js';

const runProgram = promisify(execFile);
const passphrase = 'distinctive-passphrase-4711';

describe('a key that has a passphrase, or is in an ssh-agent', () => {
  let bed: TestBed;
  const agents: ChildProcess[] = [];
  const at = (name: string): string => join(bed.directory, name);

  /** An agent that holds these keys. */
  async function startAgent(socket: string, keys: readonly string[]): Promise<void> {
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    agents.push(agent);
    await until(() => stat(socket).then(Boolean, () => false), 'the agent to listen');
    const env = { ...process.env, SSH_AUTH_SOCK: socket };
    for (const key of keys) await runProgram('ssh-add', ['-q', key], { env });
  }

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    await mkdir(at('source'));
    await writeFile(at('source/file'), 'mine');
    await copyFile(sshd.identityFile, at('locked'));
    await chmod(at('locked'), 0o600);
    await runProgram('ssh-keygen', ['-q', '-p', '-P', '', '-N', passphrase, '-f', at('locked')]);
    await writeFile(at('right'), `${passphrase}\n`, { mode: 0o600 });
    await writeFile(at('wrong'), `${passphrase}x\n`, { mode: 0o600 });
    await writeFile(at('open'), `${passphrase}\n`, { mode: 0o644 });
    await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at('other')]);
    await copyFile(`${sshd.identityFile}.pub`, at('chosen.pub'));
    await startAgent(at('agent'), [at('other'), sshd.identityFile]);
    await startAgent(at('strange-agent'), [at('other')]);
    await startAgent(at('empty-agent'), []);
    const host = (name: string, settings: Readonly<Record<string, unknown>>): HostSettings =>
      bed.hostAt(sshd, { name, srcdirs: [at('source')], identity_file: at('locked'), ...settings });
    const agentHost = (name: string, agent: string, file = 'none'): HostSettings =>
      host(name, { identity_file: at(file), identity_agent: agent });
    await bed.configure([
      host('right', { identity_passphrase_file: at('right') }),
      host('wrong', { identity_passphrase_file: at('wrong') }),
      host('open', { identity_passphrase_file: at('open') }),
      host('unset', {}),
      host('made', { identity_file: at('keys/made'), identity_passphrase_file: at('right') }),
      agentHost('agent', at('agent')),
      agentHost('chosen', at('agent'), 'chosen'),
      agentHost('environment', 'SSH_AUTH_SOCK'),
      agentHost('no-agent', at('no-such-agent')),
      agentHost('empty', at('empty-agent')),
      agentHost('strange', at('strange-agent')),
      agentHost('not-chosen', at('strange-agent'), 'chosen'),
    ]);
    await bed.startDaemon({ SSH_AUTH_SOCK: at('agent') });
  });
  afterAll(async () => {
    for (const agent of agents) {
      const ended = once(agent, 'exit');
      agent.kill();
      await ended;
    }
    await bed.end();
  });

  it.each(['right', 'agent', 'chosen', 'environment'])('lets the daemon in: %s', async (name) => {
    const run = await bed.backUp(name);
    expect(run.error).toBeUndefined();
    expect(run).toMatchObject({ state: RunState.SUCCEEDED });
    const kept = join(bed.snapshotPath(run), 'data', at('source/file'));
    expect(await readFile(kept, 'utf8')).toBe('mine');
  });

  it.each([
    ['wrong', 'PASSPHRASE_WRONG', 'does not open the key'],
    ['open', 'PASSPHRASE_FILE_UNUSABLE', 'others may read it (mode 644)'],
    ['unset', 'IDENTITY_FILE_UNUSABLE', 'identity_passphrase_file is not set'],
    ['no-agent', 'SSH_AGENT_UNAVAILABLE', 'no-such-agent'],
    ['empty', 'SSH_AGENT_KEY_MISSING', 'it holds no key'],
    ['strange', 'SSH_AGENT_KEY_MISSING', 'refuses every key that it offers'],
    ['not-chosen', 'SSH_AGENT_KEY_MISSING', 'does not hold the key'],
  ])('says why it does not: %s', async (name, reason, words) => {
    const run = await bed.backUp(name);
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason } });
    expect(run.error?.message).toContain(words);
    expect(run.error?.advice).not.toBe('');
    const told = await bed.busy(['probe', name]);
    expect(told.stdout + told.stderr + (await bed.readRunLog(run.id))).not.toContain(passphrase);
  });

  it('enrols with the key of the agent, and makes new keys with the passphrase', async () => {
    const enrolled = await bed.busy(['enroll', 'chosen']);
    const chosen = (await readFile(at('chosen.pub'), 'utf8')).split(' ')[1] ?? '';
    expect(enrolled.stdout).toContain(chosen);
    const made = await bed.busy(['enroll', 'made']);
    const key = at('keys/made');
    const opened = await runProgram('ssh-keygen', ['-y', '-P', passphrase, '-f', key]);
    expect(made.stdout).toContain(opened.stdout.split(' ')[1]);
    await expect(runProgram('ssh-keygen', ['-y', '-P', '', '-f', key])).rejects.toThrow('passphrase');
  });

  it('keeps the passphrase out of the log of the daemon and all that it stores', async () => {
    expect(bed.daemonLog()).not.toContain(passphrase);
    const found = await runProgram('grep', ['-rlaF', passphrase, bed.directory]);
    expect(found.stdout.trim().split('\n').sort()).toEqual([at('open'), at('right'), at('wrong')].sort());
  });
});
