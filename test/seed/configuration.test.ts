/**
 * The seed's section "Configuration": what each setting does to a backup. Each title is a sentence of the seed, or
 * the line of its list that explains the setting. Those that say when a backup is made: schedule.test.ts beside.
 */
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { standInForSendmail, type SendmailStandIn } from '../helpers/sendmail-stand-in.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
let sshd: PrivateSshd;
let sendmail: SendmailStandIn;

const at = (name: string): string => join(bed.directory, name);

beforeAll(async () => {
  bed = await TestBed.create();
  sshd = await bed.startSshd();
  await writeFiles(at('one'), { file: 'one', 'cache/page': 'x', 'scratch.tmp': 'x' });
  await writeFiles(at('two'), { file: 'two' });
  await symlink('file', at('one/link'));
  await mkdir(at('other-disk'));
  sendmail = await standInForSendmail(bed);
  const notingUser = await bed.writeProgram(
    'rsync-as',
    `#!/bin/sh\nid -un > '${at('user')}'\nexec rsync "$@"\n`,
  );
  const { name: _, schedule, ...defaults } = bed.hostAt(sshd, { name: 'default', srcdirs: [at('one')] });
  await bed.configure(
    [
      { name: 'plain' },
      {
        name: 'overrides',
        backupdir: at('other-disk'),
        srcdirs: [at('two'), at('one')],
        excludes: ['*.tmp', 'cache/'],
        rsync_opts: '-rt',
        email: 'someone-else@example.org',
      },
      { name: 'right', hostname: hostname() },
      { name: 'wrong', hostname: `not-${hostname()}` },
      { name: 'user', rsync_path: notingUser },
      { name: 'other-user', user: 'nobody' },
      { name: 'failing-default', srcdirs: ['/no/such/directory'] },
      { name: 'failing-own', srcdirs: ['/no/such/directory'], email: 'someone-else@example.org' },
      { name: 'failing-silent', srcdirs: ['/no/such/directory'], email: [] },
    ],
    {
      mail: { sendmail: sendmail.program },
      defaults: { ...defaults, schedule, email: 'admin@example.org' },
    },
  );
  await bed.startDaemon();
});
afterAll(() => bed.end());

describe('Config file', () => {
  it('Configuration of hosts is done through a config file', async () => {
    const { stdout } = await bed.busy(['hosts', '--json']);
    const { hosts } = JSON.parse(stdout) as { hosts: { name: string }[] };
    expect(hosts.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['plain', 'overrides', 'right', 'failing-own']),
    );
    expect(hosts).toHaveLength(9);
  });

  it('The next section defines default settings that are valid for all clients', async () => {
    const run = await bed.backUp('plain');
    expect(run).toMatchObject({ state: RunState.SUCCEEDED, jobs: [{ source: at('one') }] });
    expect(await bed.lastRun('plain')).toMatchObject({ id: run.id });
    expect(await dataOf(bed.backupdir, 'plain', 'one')).toEqual(['cache', 'file', 'link', 'scratch.tmp']);
  });

  it('Next follows a list of clients, where all of the above settings can be overriden per host', async () => {
    const run = await bed.backUp('overrides');
    expect(run.state).toBe(RunState.SUCCEEDED);
    const { stdout } = await bed.busy(['host', 'overrides', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      host: { backupdir: at('other-disk'), srcdirs: [at('two'), at('one')], excludes: ['*.tmp', 'cache/'] },
    });
    expect(await readdir(bed.backupdir)).not.toContain('overrides');
  });

  it('In this section, give each host a name (identifier) and the hostname', async () => {
    expect((await bed.backUp('right')).state).toBe(RunState.SUCCEEDED);
    expect(await readdir(bed.backupdir)).toContain('right');
  });

  it('This must be the hostname that is printed out by the `hostname` command on that client', async () => {
    const run = await bed.backUp('wrong');
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'HOSTNAME_MISMATCH' } });
    expect(run.error?.message).toContain(hostname());
    expect(run.snapshot).toBe('');
  });
});

describe('The available settings', () => {
  it('backupdir: specify the directory where the backup shall be stored to', async () => {
    const run = await bed.backUp('overrides');
    expect(await readdir(join(at('other-disk'), 'overrides'))).toContain(run.snapshot);
    expect(await readdir(join(at('other-disk'), 'overrides', run.snapshot))).toContain('data');
  });

  it('user: specify the user as which the rsync command will be running on the client', async () => {
    await bed.backUp('user');
    expect((await readFile(at('user'), 'utf8')).trim()).toBe(sshd.user);
    const run = await bed.backUp('other-user');
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'SSH_KEY_REFUSED' } });
    expect(await readFile(sshd.logFile, 'utf8')).toMatch(/ nobody[ \n]/);
  });

  it('email: optonally give an email address to send notificatin on failures', async () => {
    for (const host of ['failing-silent', 'failing-own', 'failing-default'])
      expect((await bed.backUp(host)).state).toBe(RunState.FAILED);
    // Mails go out in the order of the runs.
    await until(
      async () => (await mailsOfFailing()).some((mail) => mail.startsWith('failing-default')),
      'the mails',
    );
    expect(await mailsOfFailing()).toEqual([
      'failing-own: someone-else@example.org',
      'failing-default: admin@example.org',
    ]);
  });

  it('srcdirs: specify a list of source directories that shall be backed up', async () => {
    const run = await bed.backUp('overrides');
    expect(run.jobs.map(({ source }) => source)).toEqual([at('two'), at('one')]);
    expect(await dataOf(at('other-disk'), 'overrides', 'two')).toEqual(['file']);
    expect(await dataOf(at('other-disk'), 'overrides', 'one')).toContain('file');
  });

  it('excludes: List of patterns to exclude (passed to Rsync)', async () => {
    await bed.backUp('plain');
    await bed.backUp('overrides');
    const all = await dataOf(bed.backupdir, 'plain', 'one');
    const without = await dataOf(at('other-disk'), 'overrides', 'one');
    expect(all).toEqual(expect.arrayContaining(['cache', 'scratch.tmp']));
    for (const name of ['cache', 'scratch.tmp']) expect(without).not.toContain(name);
  });

  it('rsync_opts: you can specify the options passed to rsync here. The defaults are quiet sane', async () => {
    await bed.backUp('plain');
    await bed.backUp('overrides');
    // The defaults keep symbolic links, -rt alone leaves them out.
    expect(await dataOf(bed.backupdir, 'plain', 'one')).toContain('link');
    expect(await dataOf(at('other-disk'), 'overrides', 'one')).not.toContain('link');
  });
});

/** What the newest snapshot of a host has of a source directory. */
async function dataOf(backupdir: string, host: string, source: string): Promise<string[]> {
  const names = (await readdir(join(backupdir, host))).filter((name) => /^\d{4}-/.test(name)).sort();
  return (await readdir(join(backupdir, host, names.at(-1) ?? '', 'data', at(source)))).sort();
}

async function mailsOfFailing(): Promise<string[]> {
  const mails = (await sendmail.mails()).filter(({ subject }) => subject.startsWith('failing-'));
  return mails.map(({ recipient, subject }) => `${subject.split(' ')[0]}: ${recipient}`);
}
