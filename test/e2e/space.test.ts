/** `busy space`: what it says is what a deletion frees, measured on a disk of its own. */
import { link, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BackupType } from '../../src/gen/busy/v1/run.js';
import { runPids } from '../helpers/run-processes.js';
import { mountSmallDisk, type SmallDisk } from '../helpers/small-disk.js';
import { expectBackup } from '../helpers/stock.js';
import { runCommand } from '../helpers/run-command.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

interface Answer {
  readonly hosts: readonly {
    readonly host: string;
    readonly totalBytes: string;
    readonly diskFreeBytes: string;
    readonly snapshots?: readonly {
      readonly snapshot: { readonly name: string; readonly path: string };
      readonly seenBytes: string;
      readonly freedBytes?: string;
    }[];
  }[];
}

describe('busy space', () => {
  let bed: TestBed;
  let disk: SmallDisk;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    disk = await mountSmallDisk(bed.backupdir, '64m');
    const source = join(bed.directory, 'source');
    await writeFiles(source, { same: 900_000, 'deep/same': 50_000, linked: 200_000, changing: 300_000 });
    await link(join(source, 'linked'), join(source, 'deep/linked'));
    await bed.configure([
      bed.hostAt(sshd, { name: 'web1', srcdirs: [source] }),
      bed.hostAt(sshd, { name: 'web2', srcdirs: [source] }),
    ]);
    await bed.startDaemon();
    await expectBackup(bed, 'web1', source, BackupType.FULL);
    await writeFiles(source, { changing: 310_000, 'deep/new': 20_000 });
    await expectBackup(bed, 'web1', source, BackupType.INCREMENTAL);
    await rm(join(source, 'same'));
    await expectBackup(bed, 'web1', source, BackupType.INCREMENTAL);
    await expectBackup(bed, 'web1', source, BackupType.FULL);
  });
  afterAll(async () => {
    await bed.stopDaemon();
    await disk.unmount();
    await bed.end();
  });

  async function measure(host = 'web1'): Promise<Answer['hosts'][number]> {
    const { stdout, code, stderr } = await bed.busy(['space', host, '--json']);
    expect(code, stderr).toBe(0);
    const [found] = (JSON.parse(stdout) as Answer).hosts;
    if (!found) throw new Error('no host was answered');
    return found;
  }

  async function freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(bed.backupdir);
    return bavail * bsize;
  }

  test('says of each snapshot what du says, and of all what they take together', async () => {
    const { snapshots = [], totalBytes, diskFreeBytes } = await measure();
    expect(snapshots).toHaveLength(4);
    for (const { snapshot, seenBytes } of snapshots) {
      const { stdout } = await runCommand('du', ['-s', '--block-size=1', snapshot.path]);
      expect(Number(seenBytes)).toBe(Number(stdout.split('\t')[0]));
    }
    const { stdout } = await runCommand('du', ['-s', '--block-size=1', join(bed.backupdir, 'web1')]);
    expect(Number(totalBytes)).toBe(Number(stdout.split('\t')[0]));
    expect(Number(diskFreeBytes)).toBe(await freeBytes());
  });

  test('shows it as a table, for all hosts too', async () => {
    const { stdout, code } = await bed.busy(['space']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Host web1 in .*\nSNAPSHOT +TYPE +AGE +SIZE +FREED ALONE\n/);
    expect(stdout.match(/ (?:full|incremental) /g)).toHaveLength(4);
    expect(stdout).toMatch(/MiB in all\. The disk has \d+\.\d MiB free of 64\.0 MiB\./);
    expect(stdout).toContain('What several snapshots share is freed with the last of them.');
    expect(stdout).toMatch(/Host web2 in .*\nThere are no snapshots\.\n0 B in all\./);
  });

  test('a host that is not there, and one whose directory is gone', async () => {
    const { code, stderr } = await bed.busy(['space', 'web9']);
    expect(code).toBe(1);
    expect(stderr).toContain('HOST_NOT_FOUND');
  });

  test('a caller that leaves ends the work', async () => {
    const client = bed.snapshots;
    const calls = Array.from({ length: 5 }, () => client.measureSpace({ host: '' }));
    for (const call of calls) call.on('error', () => {});
    for (const call of calls) call.cancel();
    await until(async () => (await runPids(bed)).length === 0, 'the walks to end');
    client.close();
    expect((await measure()).snapshots).toHaveLength(4);
  });

  test('deleting them one by one frees exactly what was said of each', async () => {
    for (;;) {
      const { snapshots = [], totalBytes } = await measure();
      const [first] = snapshots.toSorted((a, b) => Number(a.freedBytes ?? 0) - Number(b.freedBytes ?? 0));
      if (!first) {
        expect(Number(totalBytes ?? 0)).toBe(0);
        break;
      }
      const before = await freeBytes();
      await rm(first.snapshot.path, { recursive: true });
      expect((await freeBytes()) - before, first.snapshot.name).toBe(Number(first.freedBytes ?? 0));
    }
    expect(await readdir(join(bed.backupdir, 'web1'))).toEqual([]);
  });
});
