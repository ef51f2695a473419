/** The daemon is killed at every named step of an archive. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { archiveFaultPoints } from '../../src/fault-points.js';
import { BackupType, RunState } from '../../src/gen/busy/v1/run.js';
import { archive, listArchives } from '../helpers/archive-calls.js';
import { listedSnapshots } from '../helpers/host-store.js';
import { TestBed } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

const arm = new URL('../faults/arm.mjs', import.meta.url).href;

describe('archives', () => {
  let bed: TestBed;
  let archivedir: string;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    const source = join(bed.directory, 'source');
    archivedir = join(bed.directory, 'archive');
    await mkdir(archivedir);
    await writeFiles(source, { kept: 5000, 'deep/kept': 5000 });
    const settings = { archivedir, archive_schedule: 'never', max_age: 0 };
    await bed.configure([bed.hostAt(sshd, { name: 'web1', srcdirs: [source], ...settings })]);
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  const snapshotsOf = (host: string): Promise<string[]> => listedSnapshots(bed, host);

  /** Full ones, of which all but the newest may go. */
  async function backUpTwice(host: string): Promise<[old: string, kept: string]> {
    const first = await bed.backUp(host, BackupType.FULL);
    const next = await bed.backUp(host, BackupType.FULL);
    return [first.snapshot, next.snapshot];
  }

  test.each(archiveFaultPoints.filter((step) => step !== 'archive is removed'))(
    'of a daemon that is killed as soon as the %s lose nothing',
    async (step) => {
      const [old, kept] = await backUpTwice('web1');
      await bed.stopDaemon();
      await bed.startDaemon({ BUSY_FAULT: step, NODE_OPTIONS: `--import=${arm}` });
      await archive(bed, 'web1', old).catch(() => {});
      expect(await bed.daemonEnd()).toBe('SIGKILL');
      expect(await readdir(join(bed.backupdir, 'web1'))).toContain(old);
      await bed.startDaemon();
      const run = await archive(bed, 'web1', old);
      expect(run.state, JSON.stringify(run.error)).toBe(RunState.SUCCEEDED);
      expect(await snapshotsOf('web1')).toContain(kept);
      expect(await snapshotsOf('web1')).not.toContain(old);
      expect((await readdir(archivedir)).filter((name) => name.startsWith('.partial-'))).toEqual([]);
      expect((await bed.busy(['archive-verify', 'web1', old])).code).toBe(0);
    },
  );

  test.each(['snapshot is taken out', 'snapshot is forgotten'])(
    'of a daemon that is killed as soon as the %s are whole',
    async (step) => {
      const [old] = await backUpTwice('web1');
      await bed.stopDaemon();
      await bed.startDaemon({ BUSY_FAULT: step, NODE_OPTIONS: `--import=${arm}` });
      await archive(bed, 'web1', old).catch(() => {});
      expect(await bed.daemonEnd()).toBe('SIGKILL');
      await bed.startDaemon();
      expect((await listArchives(bed, 'web1')).map(({ name }) => name)).toContain(old);
      expect(await readdir(join(bed.backupdir, 'web1'))).not.toContain(old);
      expect((await bed.busy(['archive-verify', 'web1', old])).code).toBe(0);
    },
  );
});
