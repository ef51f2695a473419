import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { processTree } from '../../clients/quickstart/process-tree.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { listedSnapshots, partialDirs, untilCopying } from '../helpers/host-store.js';
import { executorPids, runPids } from '../helpers/run-processes.js';
import { expectBackup, takeStock } from '../helpers/stock.js';
import { isAlive, TestBed, until } from '../helpers/test-bed.js';
import { inodeOf, listTree, writeFiles } from '../helpers/tree-listing.js';

/** What was left must end by itself this soon; nobody else would end it. */
const aloneMs = 10_000;

describe('a daemon that is killed', () => {
  let bed: TestBed;
  let sshd: PrivateSshd;

  beforeAll(async () => {
    bed = await TestBed.create();
    sshd = await bed.startSshd();
    const names = ['pull', 'push', 'committed', 'waiting'];
    for (const name of names) await writeFiles(sourceOf(name), { kept: 1000, 'deep/kept': 1000 });
    const host = (name: string) =>
      bed.hostAt(sshd, {
        name,
        srcdirs: [sourceOf(name)],
        initiator: name === 'push' ? 'client' : 'server',
        bandwidth_limit: 1500,
      });
    await bed.configure(names.map(host), { max_running: 1 });
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  test.each(['pull', 'push'])('leaves a run INTERRUPTED, and no process: %s', async (host) => {
    await expectBackup(bed, host, sourceOf(host));
    const expectUnchanged = await takeStock(bed, host);
    await writeFiles(sourceOf(host), { added: 1000, large: 3_000_000 });
    const { id } = await startCopying(host);
    await killDaemon();
    const [left = ''] = await partialDirs(bed, host);
    const copied = await inodeOf(join(left, 'data', sourceOf(host), 'added'));

    await bed.startDaemon();
    const run = await bed.waitForRun(id);
    expect(run).toMatchObject({
      state: RunState.INTERRUPTED,
      snapshot: '',
      error: { reason: 'DAEMON_DIED' },
    });
    expect(run.error?.message).toBe('The daemon ended while the run was carried out.');
    expect(run.error?.advice).toContain('goes on from what was copied');
    expect(run.endedAt).toBeInstanceOf(Date);
    expect(await bed.readRunLog(id)).toMatch(/ended: INTERRUPTED \(DAEMON_DIED: .*\)\n$/);
    expect(bed.daemonLog()).toContain('a run was left by a daemon that died');
    await expectUnchanged();
    const next = await expectBackup(bed, host, sourceOf(host));
    expect(await inodeOf(join(bed.snapshotPath(next), 'data', sourceOf(host), 'added'))).toBe(copied);
  });

  test('has succeeded with what is committed on the disk', async () => {
    const host = 'committed';
    const first = await expectBackup(bed, host, sourceOf(host));
    const before = await listTree(bed.snapshotPath(first));
    await writeFiles(sourceOf(host), { large: 3_000_000 });
    const { id } = await startCopying(host);
    await killDaemon();
    expect(await partialDirs(bed, host)).toHaveLength(1);
    // As if it had died after the rename of the snapshot, and before the database heard of it.
    const name = await commitInPlaceOf(first, id);

    await bed.startDaemon();
    const run = await bed.waitForRun(id);
    expect(run).toMatchObject({ state: RunState.SUCCEEDED, snapshot: name, error: undefined });
    expect(await bed.readRunLog(id)).toContain('found committed on the disk after a restart');
    expect(await listedSnapshots(bed, host)).toEqual([first.snapshot, name]);
    const next = await expectBackup(bed, host, sourceOf(host));
    expect(next.type).toBe(BackupType.INCREMENTAL);
    expect(await listedSnapshots(bed, host)).toEqual([first.snapshot, name, next.snapshot]);
    expect(await listTree(bed.snapshotPath(first))).toEqual(before);
  });

  test('takes up what was waiting', async () => {
    await writeFiles(sourceOf('pull'), { large: 3_000_000 });
    const { id } = await startCopying('pull');
    const waiting = await bed.trigger('waiting');
    expect(waiting.state).toBe(RunState.QUEUED);
    await killDaemon();

    await bed.startDaemon();
    expect(await bed.waitForRun(waiting.id)).toMatchObject({ state: RunState.SUCCEEDED });
    expect(await bed.waitForRun(id)).toMatchObject({ state: RunState.INTERRUPTED });
  });

  async function startCopying(host: string): Promise<Run> {
    const run = await bed.trigger(host);
    await untilCopying(bed, run, { source: sourceOf(host), name: 'large', leastBytes: 100_000 });
    return run;
  }

  /** Kills the daemon and waits until its executors, and all that worked for them here and there, have ended. */
  async function killDaemon(): Promise<void> {
    const orphans = [...(await executorPids(bed)), ...(await runPids(bed, sshd))];
    expect(orphans.length).toBeGreaterThan(4);
    const killedAt = performance.now();
    await bed.stopDaemon('SIGKILL');
    await until(() => !orphans.some(isAlive), 'the processes of a killed daemon to end');
    expect(performance.now() - killedAt).toBeLessThan(aloneMs);
    expect(await processTree(sshd.pid ?? 0)).toEqual([sshd.pid]);
  }

  /** A snapshot that says it is of another run. Answers its name. */
  async function commitInPlaceOf(model: Run, runId: string): Promise<string> {
    const name = '2030-01-02_03-04-05i';
    const path = join(bed.backupdir, model.host, name);
    await cp(bed.snapshotPath(model), path, { recursive: true, preserveTimestamps: true });
    const file = join(path, 'snapshot.json');
    const json = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    await writeFile(file, JSON.stringify({ ...json, name, type: 'incremental', runId }));
    return name;
  }

  function sourceOf(host: string): string {
    return join(bed.directory, 'source', host);
  }
});
