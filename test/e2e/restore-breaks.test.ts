import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupServiceService } from '../../src/gen/busy/v1/backup_service.js';
import { RunPhase, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { compareTrees } from '../helpers/fidelity-tree.js';
import { callMethod, reasonOf } from '../helpers/grpc-calls.js';
import { askRestore, restore, toHost, toServer } from '../helpers/restores.js';
import { runPids } from '../helpers/run-processes.js';
import { mountSmallDisk } from '../helpers/small-disk.js';
import { isAlive, TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

/** What users are promised: so long after CancelRun nothing of the run is left. */
const promisedMs = 5000;

let bed: TestBed;
let sshd: PrivateSshd;
let source: string;
let made: Run;
let target: string;
let round = 0;

beforeAll(async () => {
  bed = await TestBed.create();
  sshd = await bed.startSshd();
  source = join(bed.directory, 'source');
  await writeFiles(source, { 'data/first': 20_000, 'data/large': 3_000_000 });
  const common = { srcdirs: [source] };
  await bed.configure([
    bed.hostAt(sshd, { name: 'web1', ...common }),
    bed.hostAt(sshd, { name: 'slow', ...common, bandwidth_limit: 400 }),
  ]);
  await bed.startDaemon();
  made = await bed.backUp('web1');
  expect(made, JSON.stringify(made.error)).toMatchObject({ state: RunState.SUCCEEDED });
});
afterAll(() => bed.end());
beforeEach(async () => {
  target = join(bed.directory, `target-${++round}`);
  await mkdir(target);
});

const data = (): string => join(source, 'data');

/** A restore of which a part of the large file has been sent. */
async function begun(): Promise<Run> {
  const { id } = await askRestore(bed, { of: made, paths: [data()], target: toHost('slow', target) });
  return bed.waitForRun(id, (run) => {
    if (run.state !== RunState.QUEUED && run.state !== RunState.RUNNING)
      throw new Error(`it ended: ${JSON.stringify(run.error)}`);
    return run.progress?.phase === RunPhase.RESTORE && run.progress.bytesDone > 200_000;
  });
}

/** Nothing is there that is not whole; and the same again does the rest. */
async function expectCompletion(leftover: readonly string[] = []): Promise<void> {
  const there = await readdir(join(target, 'data'));
  expect(there).not.toContain('large');
  const ended = await restore(bed, { of: made, paths: [data()], target: toHost('web1', target) });
  expect(ended, JSON.stringify(ended.error)).toMatchObject({ state: RunState.SUCCEEDED });
  expect(await compareTrees(data(), join(target, 'data'), leftover)).toEqual([]);
}

async function cancel(id: string): Promise<void> {
  const client = bed.backups;
  await callMethod(client, BackupServiceService.cancelRun, { id }).finally(() => client.close());
}

describe('a restore that breaks off', () => {
  test('by a cancel leaves no process within five seconds, and nothing half-written', async () => {
    const run = await begun();
    const processes = await runPids(bed, sshd);
    expect(processes.length).toBeGreaterThan(3);
    const askedAt = performance.now();
    await cancel(run.id);
    const ended = await bed.waitForRun(run.id);
    await until(() => !processes.some(isAlive), 'the processes of the run to end');
    expect(performance.now() - askedAt).toBeLessThan(promisedMs);
    expect(ended).toMatchObject({ state: RunState.CANCELLED, error: { reason: 'RESTORE_CANCELLED' } });
    expect(await runPids(bed, sshd)).toEqual([]);
    // rsync has taken its temporary file with it.
    expect(await readdir(join(target, 'data'))).toEqual(['first']);
    await expectCompletion();
  });

  test('since its host went away', async () => {
    const run = await begun();
    await sshd.kill();
    const ended = await bed.waitForRun(run.id);
    expect(ended).toMatchObject({ state: RunState.FAILED, error: { reason: 'RESTORE_BROKE_OFF' } });
    expect(ended.error?.advice).toContain('files named .NAME.XXXXXX');
    await sshd.restart();
    await expectCompletion(['.large.??????']);
  });

  test('since the daemon was killed', async () => {
    const run = await begun();
    const processes = await runPids(bed, sshd);
    await bed.stopDaemon('SIGKILL');
    await until(() => !processes.some(isAlive), 'the processes of the run to end');
    await bed.startDaemon();
    const ended = await bed.waitForRun(run.id);
    expect(ended).toMatchObject({
      state: RunState.INTERRUPTED,
      error: { reason: 'DAEMON_DIED' },
      restore: { paths: [data()] },
    });
    await expectCompletion();
  });

  test.each(['web1', 'the server'])('since the disk is full: %s', async (where) => {
    const disk = await mountSmallDisk(target, '1m');
    try {
      const place = where === 'web1' ? toHost(where, target) : toServer(target);
      const wanted = { of: made, paths: [data()], target: place };
      const ended = await restore(bed, wanted);
      expect(ended, JSON.stringify(ended.error)).toMatchObject({
        state: RunState.FAILED,
        error: { reason: 'RESTORE_DISK_FULL' },
      });
      expect(await readdir(join(target, 'data'))).toEqual(['first']);
      await disk.resize('16m');
      const again = await restore(bed, wanted);
      expect(again, JSON.stringify(again.error)).toMatchObject({ state: RunState.SUCCEEDED });
      expect(await compareTrees(data(), join(target, 'data'))).toEqual([]);
    } finally {
      await disk.unmount();
    }
  });
});

test('no backup of a host runs while it is written to, nor the other way round', async () => {
  const run = await begun();
  const refused: unknown = await bed.trigger('slow').catch((error: unknown) => error);
  expect(reasonOf(refused)).toBe('HOST_BUSY');
  // That of the host that is only read from does.
  expect(await bed.backUp('web1')).toMatchObject({ state: RunState.SUCCEEDED });
  expect(await bed.waitForRun(run.id)).toMatchObject({ state: RunState.SUCCEEDED });

  const backup = await bed.trigger('slow');
  const late: unknown = await askRestore(bed, {
    of: made,
    paths: [data()],
    target: toHost('slow', target),
  }).catch((error: unknown) => error);
  expect(reasonOf(late)).toBe('HOST_BUSY');
  expect(await bed.waitForRun(backup.id)).toMatchObject({ state: RunState.SUCCEEDED });
});
