import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { untilCopying } from '../helpers/host-store.js';
import { type CommandResult } from '../helpers/run-command.js';
import { remoteRsyncPids } from '../helpers/run-processes.js';
import { TestBed, until } from '../helpers/test-bed.js';

let bed: TestBed;
let sshd: PrivateSshd;

beforeAll(async () => {
  bed = await TestBed.create();
  sshd = await bed.startSshd();
  for (const name of ['one', 'two']) {
    await mkdir(sourceOf(name), { recursive: true });
    await writeFile(join(sourceOf(name), 'file'), 'content');
    await writeFile(join(sourceOf(name), 'file.tmp'), 'content');
  }
  await configure();
  await bed.startDaemon();
});
afterAll(() => bed.end());

function sourceOf(name: string): string {
  return join(bed.directory, 'source', name);
}

/** A file without hosts. */
function configure(defaults: object = { backupdir: bed.backupdir }, settings: object = {}): Promise<void> {
  return bed.configure([], { defaults, ...settings });
}

async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await bed.busy(args);
  expect(code, stderr).toBe(0);
  return stdout;
}

async function refused(...args: string[]): Promise<string> {
  const { code, stderr }: CommandResult = await bed.busy(args);
  expect(code).toBe(1);
  return stderr;
}

function add(name: string, ...words: string[]): Promise<string> {
  const reach = ['addresses=127.0.0.1', `port=${sshd.port}`, `user=${sshd.user}`];
  const keys = [`identity_file=${sshd.identityFile}`, `host_key=${sshd.hostKey}`];
  return done('host', 'add', name, ...reach, ...keys, `srcdirs=${sourceOf('one')}`, ...words);
}

/** Backs a host up and answers the names of the files in the snapshot. */
async function backedUpFiles(host: string, source = 'one'): Promise<string[]> {
  const run = await bed.backUp(host);
  expect(run).toMatchObject({ state: RunState.SUCCEEDED, error: undefined });
  return (await readdir(join(bed.snapshotPath(run), 'data', sourceOf(source)))).sort();
}

async function hostNames(): Promise<string[]> {
  const { hosts } = JSON.parse(await done('hosts', '--json')) as { hosts?: { name: string }[] };
  return (hosts ?? []).map(({ name }) => name);
}

async function snapshotCount(host: string): Promise<number> {
  const { snapshots } = JSON.parse(await done('snapshots', host, '--json')) as { snapshots: unknown[] };
  return snapshots.length;
}

describe('"if it finds no host configurations in there, tries to read from [the] database"', () => {
  it('starts with none, and says how to get some', async () => {
    expect(await done('hosts')).toContain('busy host add');
  });

  it('takes a host by a call, backs it up, and takes changes of it', async () => {
    expect(await add('web1', 'schedule=never')).toBe('Host web1 was added.\n');
    expect(await backedUpFiles('web1')).toEqual(['file', 'file.tmp']);
    await done('host', 'edit', 'web1', 'excludes=*.tmp', 'max_incr=5');
    expect(await backedUpFiles('web1')).toEqual(['file']);
    await done('host', 'edit', 'web1', 'excludes=');
    expect(await backedUpFiles('web1')).toEqual(['file', 'file.tmp']);
    const shown = await done('host', 'web1');
    expect(shown).toContain('max_incr=5\n');
    expect(shown).not.toContain('excludes=');
    expect(await refused('host', 'add', 'web1')).toContain('(HOST_EXISTS)');
  });

  it('refuses settings with all that is wrong with them, and keeps the old ones', async () => {
    const said = await refused('host', 'edit', 'web1', 'srcdirs=etc', 'max_incr=-1');
    expect(said).toContain('srcdirs[0]: is the relative path "etc"');
    expect(said).toContain('max_incr: is the number -1');
    expect(await done('host', 'web1')).toContain('max_incr=5\n');
    expect(await done('host', 'add', 'web2', '--check', 'srcdirs=/etc')).toContain('could be added');
    expect(await hostNames()).toEqual(['web1']);
  });

  it('backs a host up by itself as soon as it is added with a schedule', async () => {
    await add('soon', 'schedule=* * * * *');
    await until(
      async () => (await snapshotCount('soon')) > 0,
      'the host to be backed up',
      () => bed.daemonLog(),
    );
    await done('host', 'edit', 'soon', 'schedule=never');
    await until(
      async () => (await bed.busy(['host', 'remove', 'soon', '--yes'])).code === 0,
      'the host to be free',
    );
  });

  it('leaves a running backup the settings it started with, and its host in place', async () => {
    await writeFile(join(sourceOf('one'), 'large'), Buffer.alloc(3_000_000, 'x'));
    await add('slow', 'schedule=never', 'bandwidth_limit=1500');
    const { id } = await bed.trigger('slow');
    const file = { source: sourceOf('one'), name: 'large', leastBytes: 100_000 };
    await untilCopying(bed, { id, host: 'slow' }, file);
    // However long the calls take, it runs until they have been made.
    const copying = await remoteRsyncPids(sshd);
    for (const pid of copying) process.kill(pid, 'SIGSTOP');
    await done('host', 'edit', 'slow', `srcdirs=${sourceOf('two')}`, 'bandwidth_limit=');
    await done('reload');
    expect(await refused('host', 'remove', 'slow', '--yes')).toContain('(HOST_BUSY)');
    for (const pid of copying) process.kill(pid, 'SIGCONT');
    const run = await bed.waitForRun(id);
    expect(run).toMatchObject({ state: RunState.SUCCEEDED, jobs: [{ source: sourceOf('one') }] });
    expect(await backedUpFiles('slow', 'two')).toEqual(['file', 'file.tmp']);
  });

  it('lets a host go and leaves its snapshots, which it has again when it comes back', async () => {
    const stays = `2 snapshots stay in ${join(bed.backupdir, 'slow')}.`;
    expect(await done('host', 'remove', 'slow', '--yes')).toContain(stays);
    expect(await refused('host', 'slow')).toContain('(HOST_NOT_FOUND)');
    expect((await readdir(join(bed.backupdir, 'slow'))).filter((name) => /[fi]$/.test(name))).toHaveLength(2);
    await add('slow', 'schedule=never');
    expect(await snapshotCount('slow')).toBe(2);
  });

  it('keeps the hosts over a restart', async () => {
    await bed.stopDaemon();
    await bed.startDaemon();
    expect(await hostNames()).toEqual(['slow', 'web1']);
    expect(await done('host', 'web1')).toContain('max_incr=5\n');
    expect(await backedUpFiles('web1')).toContain('file');
  });
});

describe('the file has the word on hosts', () => {
  it('so those of the database are not in effect, and cannot be changed', async () => {
    await bed.configure([bed.hostAt(sshd, { name: 'filed', srcdirs: [sourceOf('one')] })]);
    expect(await done('reload')).toContain('with 1 hosts');
    expect(await hostNames()).toEqual(['filed']);
    for (const args of [
      ['add', 'web2', 'srcdirs=/etc'],
      ['edit', 'filed', 'max_incr=1'],
      ['remove', 'filed', '--yes'],
    ]) {
      const said = await refused('host', ...args);
      expect(said).toContain(`The hosts stand in the configuration file ${bed.configFile}`);
      expect(said).toContain('(HOSTS_IN_FILE)');
    }
    expect(bed.daemonLog()).toContain('the hosts in the database are not in effect');
    expect(JSON.parse(await done('info', '--json'))).toMatchObject({ hostCount: 1 });
    await configure();
    await done('reload');
    expect(await hostNames()).toEqual(['slow', 'web1']);
  });

  it('and a bad one changes nothing and says why', async () => {
    const good = await readFile(bed.configFile, 'utf8');
    await writeFile(bed.configFile, good.replace('"defaults"', '"max_running": 0, "defualts"'));
    const said = await refused('reload');
    expect(said).toContain('max_running: is the number 0; allowed: a whole number from 1 to 1000');
    expect(said).toContain('did you mean defaults?');
    expect(said).toContain('(CONFIG_INVALID)');
    expect(await hostNames()).toEqual(['slow', 'web1']);
    await done('host', 'edit', 'web1', 'max_incr=6');
    await writeFile(bed.configFile, good);
  });

  it('nor does one whose defaults leave a host of the database incomplete', async () => {
    await configure({}, { max_running: 7 });
    const said = await refused('reload');
    expect(said).toContain('host "slow" in the database: backupdir: is missing, here and in defaults');
    expect(said).toContain('host "web1" in the database: backupdir: is missing');
    expect(JSON.parse(await done('info', '--json'))).toMatchObject({ maxRunning: 4 });
    expect(await hostNames()).toEqual(['slow', 'web1']);
  });

  it('at the start such a host is left out, said loudly, and can be mended or removed', async () => {
    await done('host', 'add', 'spare', `backupdir=${bed.backupdir}`, 'srcdirs=/etc/ssh');
    await bed.stopDaemon();
    await bed.startDaemon();
    expect(await hostNames()).toEqual(['spare']);
    expect(bed.daemonLog()).toMatch(
      /error a host is left out .*host \\"web1\\" in the database: backupdir: is missing/,
    );
    await done('host', 'edit', 'web1', `backupdir=${bed.backupdir}`);
    expect(await hostNames()).toEqual(['spare', 'web1']);
    await done('host', 'remove', 'spare', '--yes');
    await done('host', 'edit', 'slow', `backupdir=${bed.backupdir}`);
    await configure();
    await done('reload');
  });

  it('tells what is in effect at once, and what needs a restart', async () => {
    await configure({ backupdir: bed.backupdir }, { max_running: 7, stop_grace: '7s', executors: 1 });
    const { code, stdout, stderr } = await bed.busy(['reload', '--json']);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ hostCount: 2, needsRestart: ['executors', 'stop_grace'] });
    expect(JSON.parse(await done('info', '--json'))).toMatchObject({ hostCount: 2, maxRunning: 7 });
  });
});
