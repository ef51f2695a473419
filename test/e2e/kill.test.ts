/** The daemon is killed at every named step of the life of a backup, of a removal and of a migration. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { compareTrees } from '../../clients/quickstart/compare-trees.js';
import { migrations } from '../../migrations/index.js';
import { parseSnapshotName } from '../../src/core/snapshot.js';
import { readSnapshots } from '../../src/execute/snapshot-json.js';
import { archiveFaultPoints, faultPoints, type FaultPoint } from '../../src/fault-points.js';
import { BackupServiceService } from '../../src/gen/busy/v1/backup_service.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { HostServiceService } from '../../src/gen/busy/v1/host_service.js';
import { HostSettings } from '../../src/gen/busy/v1/host_settings.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { listedSnapshots, untilSwept } from '../helpers/host-store.js';
import { databaseUrl, PrivateMariadb } from '../helpers/private-mariadb.js';
import { hasEnded, TestBed, until } from '../helpers/test-bed.js';
import { inodeOf, listTree, writeFiles } from '../helpers/tree-listing.js';

const migrationStep: FaultPoint = 'table is made';
const arm = new URL('../faults/arm.mjs', import.meta.url).href;

function armed(fault: string): Record<string, string> {
  return { BUSY_FAULT: fault, NODE_OPTIONS: `--import=${arm}` };
}

describe('fault 3, fault 15: a daemon that is killed as soon as the', () => {
  let bed: TestBed;
  let source: string;
  let round = 0;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    source = join(bed.directory, 'source');
    await writeFiles(source, { kept: 5000, 'deep/kept': 5000, changed: 5000, deleted: 5000 });
    await bed.configure([bed.hostAt(sshd, { name: 'web1', srcdirs: [source], keep: { last: 3 } })]);
    await bed.startDaemon();
    for (const type of [BackupType.FULL, BackupType.FULL, BackupType.AUTO]) await bed.backUp('web1', type);
    await bed.stopDaemon();
  });
  afterEach(() => bed.stopDaemon());
  afterAll(() => bed.end());

  test.each(faultPoints.filter((step) => step !== migrationStep && !archiveFaultPoints.includes(step)))(
    '%s',
    async (step) => {
      const before = await stock();
      round += 1;
      await writeFiles(source, { changed: 5000, [`added ${round}`]: 1000 });
      await rm(join(source, 'deleted'), { force: true });

      await bed.startDaemon(armed(step));
      // It may be gone before it answers.
      await bed.trigger('web1').catch(() => {});
      expect(await bed.daemonEnd()).toBe('SIGKILL');
      await bed.startDaemon();
      const runs = await settledRuns();

      await untilPruned();
      await expectAgreement(runs);
      const after = await stock();
      const removable = namesThatMayGo([...before.keys()]);
      for (const [name, tree] of before)
        if (after.has(name) || !removable.has(name)) expect(after.get(name), name).toEqual(tree);
      for (const name of after.keys()) if (!before.has(name)) expect(await differences(name)).toEqual([]);

      const newest = [...after.keys()].at(-1) ?? '';
      const next = await bed.backUp('web1');
      expect(next.state, JSON.stringify(next.error)).toBe(RunState.SUCCEEDED);
      expect(await differences(next.snapshot)).toEqual([]);
      for (const kept of ['kept', 'deep/kept'])
        expect(await inodeOf(inSnapshot(next.snapshot, kept))).toBe(await inodeOf(inSnapshot(newest, kept)));
      await untilPruned();
      await untilSwept(bed, 'web1');
    },
  );

  const directory = (): string => join(bed.backupdir, 'web1');
  const inSnapshot = (name: string, file: string): string => join(directory(), name, 'data', source, file);
  const differences = (name: string): Promise<string[]> =>
    compareTrees(source, join(directory(), name, 'data', source));

  async function namesOnDisk(): Promise<string[]> {
    return (await readdir(directory())).filter((name) => parseSnapshotName(name) !== null).sort();
  }

  /** Every committed snapshot, oldest first, with all that is in it. */
  async function stock(): Promise<Map<string, string[]>> {
    const trees = new Map<string, string[]>();
    for (const name of await namesOnDisk()) trees.set(name, await listTree(join(directory(), name)));
    return trees;
  }

  /** All runs, when none is under way any more. */
  async function settledRuns(): Promise<Run[]> {
    const client = bed.backups;
    let runs: Run[] = [];
    const request = { host: '', pageSize: 0, pageToken: '', states: [] };
    await until(async () => {
      ({ runs } = await callMethod(client, BackupServiceService.listRuns, request));
      return runs.every(hasEnded);
    }, 'all runs to end');
    client.close();
    return runs;
  }

  /** The records say what the disk says: no snapshot more and none less, each with the run that made it. */
  async function expectAgreement(runs: readonly Run[]): Promise<void> {
    let listed: string[] = [];
    await until(
      async () => {
        listed = await listedSnapshots(bed, 'web1');
        return listed.join() === (await namesOnDisk()).join();
      },
      'records and disk to agree',
      () => listed.join(' '),
    );
    const made = new Map(runs.map(({ id, snapshot }) => [id, snapshot]));
    for (const { name, runId } of await readSnapshots(bed.backupdir, 'web1'))
      expect(made.get(runId)).toBe(name);
  }

  async function untilPruned(): Promise<void> {
    const client = bed.snapshots;
    const request = { host: 'web1', dryRun: true };
    await until(async () => {
      const answer = await callMethod(client, SnapshotServiceService.pruneSnapshots, request);
      return answer.removedCount === 0;
    }, 'the snapshots that nothing keeps to go');
    client.close();
  }
});

describe('a daemon that is killed in the middle of a migration', () => {
  let bed: TestBed;
  let mariadb: PrivateMariadb | undefined;
  beforeEach(async () => {
    bed = await TestBed.create();
  });
  afterEach(async () => {
    await bed.end();
    await mariadb?.end();
    mariadb = undefined;
  });

  // As many starts of a daemon as there are tables and columns: minutes, on a busy machine.
  const longMs = 600_000;

  test('of SQLite begins it anew', { timeout: longMs }, async () => {
    await bed.configure([]);
    await expectAllTables(async () => rm(join(bed.directory, 'state'), { recursive: true }));
  });

  test('of MariaDB goes on where it ended', { timeout: longMs }, async () => {
    mariadb = await PrivateMariadb.start();
    const server = mariadb;
    const takeFresh = async (): Promise<void> =>
      bed.configure([], { database: databaseUrl(await server.freshDatabase()) });
    await takeFresh();
    await expectAllTables(takeFresh);
  });

  /** Kills it after the first table, in the next, empty database after the second, until none is left. */
  async function expectAllTables(takeFresh: () => Promise<void>): Promise<void> {
    let time = 1;
    for (; ; time += 1) {
      const start = bed.startDaemon(armed(`${migrationStep}@${time}`));
      const killed = await start.then(
        () => false,
        (error: unknown) => String(error).includes('SIGKILL'),
      );
      if (!killed) break;
      await bed.startDaemon();
      await expectAllRecordsToWork();
      await bed.stopDaemon();
      await takeFresh();
    }
    expect(time).toBeGreaterThan(migrations.length);
  }

  async function expectAllRecordsToWork(): Promise<void> {
    const { backups, hosts } = bed;
    const request = { host: '', pageSize: 0, pageToken: '', states: [] };
    expect((await callMethod(backups, BackupServiceService.listRuns, request)).runs).toEqual([]);
    const settings = HostSettings.fromPartial({ srcdirs: { values: ['/etc'] }, backupdir: '/tmp' });
    const web1 = { name: 'web1', settings, validateOnly: false };
    expect((await callMethod(hosts, HostServiceService.createHost, web1)).host?.name).toBe('web1');
    for (const client of [backups, hosts]) client.close();
  }
});

/** With one snapshot more the others are not among the last three; but the youngest full one stays. */
function namesThatMayGo(names: readonly string[]): ReadonlySet<string> {
  const youngestFull = names.findLast((name) => name.endsWith('f'));
  return new Set(names.slice(0, -2).filter((name) => name !== youngestFull));
}
