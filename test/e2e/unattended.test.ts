import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { TestBed, until } from '../helpers/test-bed.js';

let bed: TestBed;
let sshd: PrivateSshd;

beforeAll(async () => {
  bed = await TestBed.create();
  sshd = await bed.startSshd();
  await mkdir(join(bed.directory, 'source'));
  await writeFile(join(bed.directory, 'source/file'), 'content');
});

afterAll(() => bed.end());

async function explain(host: string): Promise<Record<string, unknown>> {
  const { stdout, stderr, code } = await bed.busy(['explain', host, '--json']);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function snapshotCount(host: string): Promise<number> {
  const { stdout } = await bed.busy(['snapshots', host, '--json']);
  return (JSON.parse(stdout) as { snapshots: unknown[] }).snapshots.length;
}

function settings(): object {
  return { srcdirs: [join(bed.directory, 'source')], schedule: ['* * * * *'] };
}

describe('the daemon by itself', () => {
  it('waits for a host that is away, and backs it up when it appears', async () => {
    await sshd.stop();
    const byHand = bed.hostAt(sshd, { name: 'by-hand', srcdirs: ['/etc'] });
    await bed.configure([bed.hostAt(sshd, { name: 'laptop', ...settings() }), byHand]);
    await bed.startDaemon();
    expect(await explain('laptop')).toMatchObject({ isDue: true, waitsFor: 'the host to come online' });
    const text = await bed.busy(['explain', 'laptop']);
    expect(text.stdout).toMatch(/Due +yes/);
    expect(text.stdout).toMatch(/Online +no/);
    expect(text.stdout).toMatch(/there is no snapshot yet/);
    expect(await snapshotCount('laptop')).toBe(0);

    await sshd.restart();
    await until(
      async () => (await snapshotCount('laptop')) === 1,
      'the laptop to be backed up',
      () => bed.daemonLog(),
    );
    const after = await explain('laptop');
    expect(after).toMatchObject({ isOnline: true, type: 'BACKUP_TYPE_INCREMENTAL' });
    expect(after.isDue ?? false).toBe(false);
    const { stdout } = await bed.busy(['runs', '--host', 'laptop', '--json']);
    const [run] = (JSON.parse(stdout) as { runs: { id: string }[] }).runs;
    expect(await bed.readRunLog(run?.id ?? '')).toContain('the schedule asked for it');
  });

  it('never starts what is only to be started by hand', async () => {
    expect(await snapshotCount('by-hand')).toBe(0);
    expect(await explain('by-hand')).toMatchObject({ waitsFor: 'someone to start it by hand' });
  });

  it('takes over a new configuration at SIGHUP, and refuses a bad one as a whole', async () => {
    const config = await readFile(bed.configFile, 'utf8');
    await bed.configure([bed.hostAt(sshd, { name: 'newcomer', ...settings() })]);
    process.kill(bed.daemonPid(), 'SIGHUP');
    await until(
      async () => (await snapshotCount('newcomer').catch(() => 0)) === 1,
      'the newcomer',
      () => bed.daemonLog(),
    );
    expect((await bed.busy(['host', 'laptop'])).code).toBe(1);

    await writeFile(bed.configFile, config.replace('"schedule"', '"shedule"'));
    process.kill(bed.daemonPid(), 'SIGHUP');
    await until(
      () => bed.daemonLog().includes('refused'),
      'the bad configuration to be refused',
      () => bed.daemonLog(),
    );
    expect(bed.daemonLog()).toContain('did you mean schedule');
    expect((await bed.busy(['host', 'newcomer'])).code).toBe(0);
  });
});
