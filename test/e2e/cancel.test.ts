import { status, type ServiceError } from '@grpc/grpc-js';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupServiceService } from '../../src/gen/busy/v1/backup_service.js';
import { JobState, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { callMethod, reasonOf } from '../helpers/grpc-calls.js';
import { listedSnapshots, partialDirs, untilCopying, untilSwept } from '../helpers/host-store.js';
import { executorPids, runPids } from '../helpers/run-processes.js';
import { isAlive, TestBed, until } from '../helpers/test-bed.js';
import { inodeOf, writeFiles } from '../helpers/tree-listing.js';

/** What users are promised: so long after CancelRun nothing of the run is left. */
const promisedMs = 5000;

describe('a run that is cancelled', () => {
  let bed: TestBed;
  let sshd: PrivateSshd;
  let source: string;

  beforeAll(async () => {
    bed = await TestBed.create();
    sshd = await bed.startSshd();
    source = join(bed.directory, 'source');
    await writeFiles(source, { first: 20_000, large: 3_000_000 });
    const common = { srcdirs: [source], bandwidth_limit: 1500 };
    await bed.configure(
      [
        bed.hostAt(sshd, { name: 'pull', initiator: 'server', ...common }),
        bed.hostAt(sshd, { name: 'push', initiator: 'client', ...common }),
        bed.hostAt(sshd, { name: 'waiting', ...common }),
        bed.hostAt(sshd, { name: 'any-moment', ...common }),
        bed.hostAt(sshd, { name: 'any-moment-push', initiator: 'client', ...common }),
      ],
      { max_running: 1 },
    );
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  test.each(['pull', 'push'])('fault 10: leaves no process within five seconds: %s', async (host) => {
    const started = await bed.trigger(host);
    const { id } = started;
    await untilCopying(bed, started, { source, name: 'large', leastBytes: 100_000 });
    const processes = await runPids(bed, sshd);
    // rsync here, twice, and there; a connector; the session of sshd.
    expect(processes.length).toBeGreaterThan(4);

    const askedAt = performance.now();
    const [first, second] = await Promise.all([cancel(id), cancel(id)]);
    expect([RunState.CANCELLING, RunState.CANCELLED]).toContain(first.state);
    expect([RunState.CANCELLING, RunState.CANCELLED]).toContain(second.state);
    await until(() => !processes.some(isAlive), 'the processes of the run to end');
    const run = await bed.waitForRun(id);
    expect(performance.now() - askedAt).toBeLessThan(promisedMs);

    expect(await runPids(bed, sshd)).toEqual([]);
    expect(run).toMatchObject({ state: RunState.CANCELLED, snapshot: '' });
    expect(run.error).toMatchObject({
      reason: 'CANCELLED',
      message: 'The run was cancelled on request.',
      advice: 'What was copied helps the next backup.',
    });
    expect(run.jobs.map(({ state }) => state)).toEqual([JobState.CANCELLED]);
    expect(await bed.readRunLog(id)).toMatch(/cancel was asked for.*\n(.*\n)*.*ended: CANCELLED/);
    expect(await listedSnapshots(bed, host)).toEqual([]);

    const [left = ''] = await partialDirs(bed, host);
    const copied = await inodeOf(join(left, 'data', source, 'first'));
    const next = await bed.backUp(host);
    expect(next.state).toBe(RunState.SUCCEEDED);
    expect(await bed.readRunLog(next.id)).toContain('goes on from .partial-');
    expect(await inodeOf(join(bed.snapshotPath(next), 'data', source, 'first'))).toBe(copied);
    await untilSwept(bed, host);
    expect(await listedSnapshots(bed, host)).toEqual([next.snapshot]);
  });

  test.each(['pull', 'push'])('fault 10: has ended for good: %s', async (host) => {
    const { id } = await bed.trigger(host);
    await cancel(id);
    await bed.waitForRun(id);
    const refused = await cancel(id).catch((error: unknown) => error as ServiceError);
    expect(refused).toMatchObject({ code: status.FAILED_PRECONDITION });
    expect(reasonOf(refused)).toBe('RUN_ENDED');
    expect((refused as ServiceError).details).toContain(`Run ${id} has already ended as CANCELLED.`);
  });

  test('never starts when it was waiting', async () => {
    const busy = await bed.trigger('pull');
    await bed.waitForRun(busy.id, ({ state }) => state === RunState.RUNNING);
    const waiting = await bed.trigger('waiting');
    expect(waiting.state).toBe(RunState.QUEUED);

    const cancelled = await cancel(waiting.id);
    expect(cancelled).toMatchObject({ state: RunState.CANCELLED, startedAt: undefined, jobs: [] });
    expect(cancelled.endedAt).toBeInstanceOf(Date);
    expect(await listedSnapshots(bed, 'waiting')).toEqual([]);
    const again = await bed.trigger('waiting');
    expect(again.state).toBe(RunState.QUEUED);
    await cancel(again.id);

    await cancel(busy.id);
    expect((await bed.waitForRun(busy.id)).state).toBe(RunState.CANCELLED);
    expect((await bed.waitForRun(waiting.id)).state).toBe(RunState.CANCELLED);
  });

  // Connecting, asking for versions, starting rsync, listing, copying: a cancel may come in the middle of each.
  test.each(['any-moment', 'any-moment-push'])('ends whenever the cancel comes: %s', async (host) => {
    for (const afterMs of [0, 1, 5, 20, 50, 100, 150, 200, 250, 300]) {
      const { id } = await bed.trigger(host);
      await delay(afterMs);
      const askedAt = performance.now();
      await cancel(id);
      const run = await bed.waitForRun(id);
      expect(run).toMatchObject({ state: RunState.CANCELLED, error: { reason: 'CANCELLED' } });
      await until(async () => (await runPids(bed, sshd)).length === 0, 'the processes of the run to end');
      expect(performance.now() - askedAt).toBeLessThan(promisedMs);
    }
    expect(await executorPids(bed)).toHaveLength(1);
    expect(bed.daemonLog()).not.toMatch(/ (error|warn) /i);
    expect(await listedSnapshots(bed, host)).toEqual([]);
  });

  async function cancel(id: string): Promise<Run> {
    const client = bed.backups;
    try {
      const { run } = await callMethod(client, BackupServiceService.cancelRun, { id });
      if (!run) throw new Error('no run was answered');
      return run;
    } finally {
      client.close();
    }
  }
});
