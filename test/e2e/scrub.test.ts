/** The rolling scrub of the whole daemon, with a window that is always open. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GetDaemonInfoResponse } from '../../src/gen/busy/v1/daemon_service.js';
import { RunKind, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { expectBackup } from '../helpers/stock.js';
import { TestBed } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
let host: Record<string, unknown> & { name: string };
const source = (): string => join(bed.directory, 'source');

beforeEach(async () => {
  bed = await TestBed.create();
  const sshd = await bed.startSshd();
  await writeFiles(
    source(),
    Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`f${at}`, `content ${at}`])),
  );
  host = bed.hostAt(sshd, { name: 'web1', srcdirs: [source()], verify_schedule: [] });
});
afterEach(() => bed.end());

async function startWith(verifyEvery: number): Promise<void> {
  await bed.stopDaemon();
  await bed.configure([{ ...host, verify_every: verifyEvery }]);
  await bed.startDaemon();
}

/** The scrub that the daemon starts by itself. */
async function scrubbed(): Promise<Run> {
  const client = bed.backups;
  const stream = client.watchRuns({ afterRevision: 1, host: 'web1', runId: '' });
  try {
    for await (const { run } of stream as AsyncIterable<{ run?: Run }>) {
      const hasEnded = run?.endedAt !== undefined && run.state !== RunState.INTERRUPTED;
      if (run?.kind === RunKind.SCRUB && hasEnded) return run;
    }
    throw new Error('the stream ended before a scrub did');
  } finally {
    stream.on('error', () => {});
    stream.cancel();
    client.close();
  }
}

async function info(): Promise<GetDaemonInfoResponse> {
  const client = bed.info;
  try {
    return await callMethod(client, DaemonServiceService.getDaemonInfo, {});
  } finally {
    client.close();
  }
}

describe('the rolling scrub', () => {
  it('reads all in one night where it is to be read in one day, and the daemon says how old the oldest is', async () => {
    await startWith(0);
    const full = await expectBackup(bed, 'web1', source());
    const before = await info();
    expect(before.oldestUnverified).toMatchObject({ host: 'web1', snapshot: full.snapshot });
    await startWith(1);
    const run = await scrubbed();
    expect(run, JSON.stringify(run.error)).toMatchObject({
      state: RunState.SUCCEEDED,
      verification: { filesRead: 300 },
    });
    expect(await bed.readRunLog(run.id)).toMatch(
      /the share of a scrub of web1 was asked for: all is to be read within 1 days/,
    );
    const after = await info();
    expect(after.oldestUnverified?.since?.getTime()).toBeGreaterThan(
      before.oldestUnverified?.since?.getTime() ?? 0,
    );
    expect(after).toMatchObject({ unverifiableSnapshots: 0, damagedSnapshots: 0 });
    const { stdout } = await bed.busy(['info']);
    expect(stdout).toMatch(/Verification +all bytes were read within .* \(the oldest: web1 /);
    const state = JSON.parse(await readFile(join(bed.backupdir, 'web1/.verified.json'), 'utf8')) as {
      parts: object;
    };
    expect(Object.keys(state.parts)).toHaveLength(256);
  });

  it('reads a share of a night, which the disk remembers also when the database does not', async () => {
    await startWith(0);
    await expectBackup(bed, 'web1', source());
    await startWith(30);
    const run = await scrubbed();
    expect(await bed.readRunLog(run.id)).toContain('reads 9 of 256 parts');
    expect(run.verification?.filesRead).toBeGreaterThan(0);
    expect(run.verification?.filesRead).toBeLessThan(50);
    await bed.stopDaemon();
    await rename(join(bed.directory, 'state/busy.db'), join(bed.directory, 'away.db'));
    await startWith(30);
    await expectBackup(bed, 'web1', source());
    const parts = async (): Promise<number> => {
      const text = await readFile(join(bed.backupdir, 'web1/.verified.json'), 'utf8');
      return Object.keys((JSON.parse(text) as { parts: object }).parts).length;
    };
    expect(await parts()).toBe(9);
    await startWith(30);
    await scrubbed();
    expect(await parts()).toBe(18);
  });

  it('is silent about a disk that is not there', async () => {
    await startWith(0);
    await expectBackup(bed, 'web1', source());
    await bed.stopDaemon();
    await rename(join(bed.backupdir, 'web1'), join(bed.backupdir, 'unmounted'));
    await startWith(30);
    // A look at the hosts has been taken by the time that a second daemon answers.
    expect((await bed.busy(['runs', '--host', 'web1', '--json'])).stdout).not.toContain('RUN_KIND_SCRUB');
  });
});
