import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newDrill } from '../../src/core/drill.js';
import { claimBackupdir, releaseBackupdirs } from '../../src/execute/backupdir-lock.js';
import { drill } from '../../src/execute/drill.js';
import { ExecutorPool } from '../../src/execute/executor-pool.js';
import { createScratch, discardScratch, removeScratch } from '../../src/execute/scratch.js';
import type { Host } from '../../src/core/host.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleSnapshot } from '../store/samples.js';

let backupdir: string;
let host: Host;
let other: ChildProcess;

beforeEach(async () => {
  backupdir = await mkdtemp(join(tmpdir(), 'busy-scratch-'));
  host = sampleHost({ name: 'web1', backupdir });
  other = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(other, 'spawn');
});
afterEach(async () => {
  other.kill();
  await rm(backupdir, { recursive: true, force: true });
});

const names = (): Promise<string[]> => readdir(join(backupdir, 'web1'));

describe('where another daemon has the backup directory', () => {
  beforeEach(async () => {
    await claimBackupdir(backupdir, other.pid ?? 0);
    await mkdir(join(backupdir, 'web1/.drill-01OTHER/data'), { recursive: true });
    await mkdir(join(backupdir, 'web1/.download-of-another'));
  });

  test('a drill does not begin, and leaves what that one restores', async () => {
    const task = {
      runId: '01OURS',
      host,
      snapshot: sampleSnapshot('2026-11-21_20-00-00f', { host: 'web1' }),
      isArchived: false,
      drill: newDrill('seed'),
      logFile: join(backupdir, 'log'),
    };
    const events = { onProgress: () => {}, onLog: () => {} };
    const parts = { clock: { now: () => new Date() }, holder: process.pid };
    const { error } = await drill(task, events, new AbortController().signal, parts);
    expect(error?.reason).toBe('BACKUPDIR_IN_USE');
    expect(await names()).toEqual(['.download-of-another', '.drill-01OTHER']);
  });

  test('a start leaves it too, until that one is gone', async () => {
    await discardScratch([host], process.pid);
    expect(await names()).toEqual(['.download-of-another', '.drill-01OTHER']);
    const gone = once(other, 'exit');
    other.kill();
    await gone;
    await discardScratch([host], process.pid);
    expect(await names()).toEqual(['.removed-.download-of-another', '.removed-.drill-01OTHER']);
  });
});

test('the lock is not taken where there is nothing to remove', async () => {
  await mkdir(join(backupdir, 'web1/.removed-x'), { recursive: true });
  await discardScratch([host, { ...host, name: 'new' }], process.pid);
  expect(await readdir(backupdir)).toEqual(['web1']);
});

test('one is made where the host has nothing yet, and removed whole', async () => {
  const scratch = await createScratch(host, { use: 'download', id: '1' }, process.pid);
  await mkdir(join(scratch, 'deep/er'), { recursive: true });
  expect(await names()).toEqual(['.download-1']);
  await removeScratch(scratch);
  expect(await names()).toEqual([]);
  await releaseBackupdirs([backupdir], process.pid);
});

test('what an executor that died had unpacked is gone when its run ends', async () => {
  const entry = join(backupdir, 'executor.mjs');
  await writeFile(entry, "process.on('message', () => process.kill(process.pid, 'SIGKILL'));\n");
  const pool = new ExecutorPool(entry, { executors: 1, confine: 'off', nice: 10 }, process.pid, () => {});
  const signal = new AbortController().signal;
  const events = { onProgress: () => {}, onLog: () => {} };
  await mkdir(join(backupdir, 'web1/.restore-OTHER'), { recursive: true });
  for (const use of ['restore', 'drill'] as const) {
    const scratch = await createScratch(host, { use, id: 'OURS' }, process.pid);
    await mkdir(join(scratch, 'data'));
    // What else a task has is for the executor.
    const died = pool[use]({ host, runId: 'OURS' } as never, events, signal);
    await expect(died).rejects.toMatchObject({ reason: 'EXECUTOR_DIED' });
    expect(await names()).toEqual(['.restore-OTHER']);
  }
  await pool.stop();
  await releaseBackupdirs([backupdir], process.pid);
});
