import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { TestBed } from '../helpers/test-bed.js';

describe('two daemons and one backup directory', () => {
  let bed: TestBed;
  let sshd: PrivateSshd;
  const lock = (): string => join(bed.backupdir, '.busyd.lock');

  beforeAll(async () => {
    bed = await TestBed.create();
    sshd = await bed.startSshd();
    await bed.configure([bed.hostAt(sshd, { name: 'web1', srcdirs: ['/etc/ssh'] })]);
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  test('the second does not start, and says which process has it and what to do', async () => {
    const config = JSON.parse(await readFile(bed.configFile, 'utf8')) as object;
    const second = join(bed.directory, 'second.yaml');
    const own = {
      state_dir: join(bed.directory, 'second'),
      listen: `unix:${join(bed.directory, 'second.sock')}`,
    };
    await writeFile(second, JSON.stringify({ ...config, ...own }));
    const { code, stderr } = await bed.busyd(['--config', second]);
    expect(code).toBe(1);
    expect(stderr).toContain(`The backup directory ${bed.backupdir} belongs to another busyd`);
    expect(stderr).toContain(`process ${bed.daemonPid()} on machine`);
    expect(stderr).toContain(`remove ${lock()}`);
    expect((await bed.backUp('web1')).state).toBe(RunState.SUCCEEDED);
  });

  test('a daemon that was killed leaves a lock that hinders nobody', async () => {
    await bed.stopDaemon('SIGKILL');
    expect(await readFile(lock(), 'utf8')).toContain('"pid"');
    await bed.startDaemon();
    expect((await bed.backUp('web1')).state).toBe(RunState.SUCCEEDED);
  });

  test('a backup fails, and harms nothing, when another machine has taken the directory meanwhile', async () => {
    const mine = await readFile(lock(), 'utf8');
    await writeFile(lock(), JSON.stringify({ ...(JSON.parse(mine) as object), hostname: 'elsewhere' }));
    const run = await bed.backUp('web1');
    expect(run.state).toBe(RunState.FAILED);
    expect(run.error).toMatchObject({ reason: 'BACKUPDIR_IN_USE' });
    expect(run.error?.message).toContain('machine elsewhere');
    expect((await readdir(join(bed.backupdir, 'web1'))).filter((name) => name.startsWith('.'))).toEqual([]);
    await writeFile(lock(), mine);
  });

  test('a clean stop gives the directory back', async () => {
    expect(await bed.stopDaemon()).toBe(0);
    expect(await readdir(bed.backupdir)).toEqual(['web1']);
  });

  test('a start leaves alone what a pre-backup script may mount; the backup takes it after the script', async () => {
    const seen = join(bed.directory, 'seen');
    await bed.writeProgram('scripts/pre-backup', `#!/bin/sh\nls -A ${bed.backupdir} > ${seen}\n`);
    await bed.startDaemon();
    expect(await readdir(bed.backupdir)).toEqual(['web1']);
    expect((await bed.backUp('web1')).state).toBe(RunState.SUCCEEDED);
    expect(await readFile(seen, 'utf8')).toBe('web1\n');
    expect(await readFile(lock(), 'utf8')).toContain(`"pid":${bed.daemonPid()}`);
    expect(await bed.stopDaemon()).toBe(0);
    expect(await readdir(bed.backupdir)).toEqual(['web1']);
  });
});
