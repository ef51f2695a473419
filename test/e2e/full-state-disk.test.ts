/** The disk of the state directory is full to the last byte: the daemon goes on recording, logging and answering. */
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BackupType, RunState } from '../../src/gen/busy/v1/run.js';
import { listedSnapshots } from '../helpers/host-store.js';
import { mountSmallDisk, type SmallDisk } from '../helpers/small-disk.js';
import { runCommand } from '../helpers/run-command.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

const MiB = 1024 ** 2;

describe('a state directory on the backup disk, which is full', () => {
  let bed: TestBed;
  let disk: SmallDisk;
  let mounted: string;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    mounted = join(bed.directory, 'mounted');
    await mkdir(mounted);
    disk = await mountSmallDisk(mounted, '16m');
    const backupdir = join(mounted, 'backups');
    await mkdir(backupdir);
    await writeFiles(join(bed.directory, 'source'), { file: 2 * MiB });
    const host = { srcdirs: [join(bed.directory, 'source')], min_free: 0 };
    await bed.configure(
      [
        bed.hostAt(sshd, { name: 'here', ...host, backupdir, keep: { last: 1 } }),
        bed.hostAt(sshd, { name: 'elsewhere', ...host }),
      ],
      { state_dir: join(mounted, 'state'), reserve: '4M' },
    );
    await bed.startDaemon();
  });
  afterAll(async () => {
    await bed.stopDaemon();
    await disk.unmount();
    await bed.end();
  });

  const filler = (): string => join(mounted, 'filler');
  const reserve = async (): Promise<number> => (await stat(join(mounted, 'state/reserve'))).size;

  /** Takes all that is free, again and again, as something that goes on writing does. */
  async function fill(): Promise<void> {
    await runCommand('sh', ['-c', 'cat /dev/zero >> "$1"', 'fill', filler()]);
  }

  async function info(): Promise<string> {
    const { stdout, code } = await bed.busy(['info']);
    expect(code).toBe(0);
    return stdout;
  }

  test('the reserve is made at the start', async () => {
    await until(async () => (await reserve()) === 4 * MiB, 'the reserve');
    expect(await info()).toMatch(/^Reserve +4\.0 MiB$/m);
  });

  test('a backup to the full disk fails, one to another disk is made, recorded and logged', async () => {
    expect((await bed.backUp('here')).state).toBe(RunState.SUCCEEDED);
    await fill();
    const failed = await bed.backUp('here', BackupType.FULL);
    expect(failed).toMatchObject({ state: RunState.FAILED });
    expect(failed.error?.reason).toMatch(/^DISK_(?:FULL|SPACE_LOW)$/);
    const good = await bed.backUp('elsewhere');
    expect(good, JSON.stringify(good.error)).toMatchObject({ state: RunState.SUCCEEDED });
    expect(await listedSnapshots(bed, 'elsewhere')).toEqual([good.snapshot]);
    for (const run of [failed, good]) {
      const { stdout, code } = await bed.busy(['logs', run.id]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/ended: /);
    }
  });

  test('it says so, and survives that the disk is filled again and again', async () => {
    for (let round = 0; round < 3; round++) {
      await fill();
      expect(await info()).toMatch(/^Reserve .*the disk of the state directory has been full since/m);
      const run = await bed.backUp('elsewhere');
      expect(run, JSON.stringify(run.error)).toMatchObject({ state: RunState.SUCCEEDED });
    }
    expect(bed.daemonLog()).toMatch(
      /the disk of the state directory is full; a part of the reserve was given/,
    );
    expect((await bed.busy(['runs'])).stdout.match(/SUCCEEDED/g)?.length).toBeGreaterThanOrEqual(5);
  });

  test('it starts on a full disk, also after it was killed', async () => {
    await rm(filler());
    await until(async () => (await reserve()) === 4 * MiB, 'the reserve to be whole again');
    await until(() => bed.daemonLog().includes('the reserve is whole'), 'the log to say so');
    await bed.stopDaemon('SIGKILL');
    await fill();
    await bed.startDaemon();
    expect((await bed.backUp('elsewhere')).state).toBe(RunState.SUCCEEDED);
  });
});
