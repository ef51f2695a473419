import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  claimBackupdir,
  claimBackupdirs,
  releaseBackupdirs,
  type LockHolder,
} from '../../src/execute/backupdir-lock.js';
import type { BusyError } from '../../src/core/errors.js';

describe('the lock on a backup directory', () => {
  let directory: string;
  let file: string;
  let skipped: string[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'busy-lock-'));
    file = join(directory, '.busyd.lock');
    skipped = [];
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** The lock of another daemon: of a process that is gone unless the changes say otherwise. */
  async function leaveLock(changes: Readonly<Record<string, unknown>>): Promise<void> {
    await claimBackupdir(directory, process.pid);
    const mine = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...mine, ...changes }));
  }

  const claimAll = (directories: readonly string[]): Promise<void> =>
    claimBackupdirs(directories, process.pid, (skippedDirectory) => skipped.push(skippedDirectory));

  const refusal = async (holder: LockHolder = process.pid): Promise<BusyError> =>
    claimBackupdir(directory, holder).then(
      () => {
        throw new Error('the lock was given');
      },
      (error: BusyError) => error,
    );

  test('is taken once for all executors of a daemon, and leaves nothing else there', async () => {
    for (let round = 0; round < 100; round += 1) {
      await Promise.all(Array.from({ length: 8 }, () => claimBackupdir(directory, process.pid)));
      if (round < 99) await releaseBackupdirs([directory], process.pid);
    }
    await claimAll([directory, directory]);
    expect(await readdir(directory)).toEqual(['.busyd.lock']);
    await releaseBackupdirs([directory], process.pid);
    expect(await readdir(directory)).toEqual([]);
  });

  test('is refused while another process on this machine has it, and given when that is gone', async () => {
    const other = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(other, 'spawn');
    await claimBackupdir(directory, other.pid ?? 0);
    const error = await refusal();
    expect(error.reason).toBe('BACKUPDIR_IN_USE');
    expect(error.message).toContain(`process ${other.pid} on machine`);
    expect(error.advice).toContain(`remove ${file}`);
    const gone = once(other, 'exit');
    other.kill();
    await gone;
    await claimBackupdir(directory, process.pid);
  });

  test('is not given back by one who does not have it', async () => {
    await leaveLock({ hostname: 'another' });
    await releaseBackupdirs([directory], process.pid);
    expect(await readdir(directory)).toEqual(['.busyd.lock']);
  });

  test.each([
    ['of a process whose id was given to another', { startTime: '1' }],
    ['of before the machine was started again', { bootId: 'another' }],
  ])('that was left behind is replaced: %s', async (_, changes) => {
    await leaveLock(changes);
    await claimBackupdir(directory, process.pid);
    await releaseBackupdirs([directory], process.pid);
    expect(await readdir(directory)).toEqual([]);
  });

  test.each(['', '{', '[]', 'null', '{"pid":"x"}'])('that is damaged is replaced: %j', async (text) => {
    await writeFile(file, text);
    await claimBackupdir(directory, process.pid);
    expect(await readFile(file, 'utf8')).toContain(`"pid":${process.pid}`);
  });

  test('that was left behind is taken by one of several who find it', async () => {
    const others = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const other = spawn('sleep', ['60'], { stdio: 'ignore' });
        await once(other, 'spawn');
        return other;
      }),
    );
    for (let round = 0; round < 50; round += 1) {
      await rm(file, { force: true });
      await leaveLock({ startTime: '1' });
      const claims = await Promise.allSettled(others.map(({ pid = 0 }) => claimBackupdir(directory, pid)));
      expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await readdir(directory)).toEqual(['.busyd.lock']);
    }
    for (const other of others) other.kill();
  });

  test.each([
    ['of another machine', { hostname: 'another' }],
    ['of another machine of the same name', { machineId: 'another', bootId: 'another' }],
    ['of another container on this machine', { pidNamespace: 'pid:[1]' }],
  ])('is believed where nothing can be known of its process: %s', async (_, changes) => {
    await leaveLock({ ...changes, startTime: '1' });
    expect((await refusal()).reason).toBe('BACKUPDIR_IN_USE');
  });

  test('a start that is refused holds no lock, and a directory that is not there is no hindrance', async () => {
    const free = await mkdtemp(join(tmpdir(), 'busy-lock-'));
    await leaveLock({ hostname: 'another' });
    const start = claimAll([free, join(directory, 'absent'), directory]);
    await expect(start).rejects.toMatchObject({ reason: 'BACKUPDIR_IN_USE' });
    expect(await readdir(free)).toEqual([]);
    expect(skipped).toEqual([join(directory, 'absent')]);
    await rm(free, { recursive: true });
  });

  describe('of daemons that share a database', () => {
    const shared = { databaseId: 'one', database: 'mysql://busy@db/busy' };
    const another = { databaseId: 'two', database: 'mysql://busy@db/other' };

    test.each<[string, LockHolder]>([
      ['another database', another],
      ['a daemon that is alone', process.pid],
    ])('keeps out %s', async (_, holder) => {
      await claimBackupdir(directory, shared);
      const error = await refusal(holder);
      expect(error).toMatchObject({
        reason: 'BACKUPDIR_IN_USE',
        message: expect.stringContaining(
          'belongs to the daemons of another database (mysql://busy@db/busy, ',
        ),
        advice: expect.stringContaining(`remove ${file}`),
      });
    });

    test('is refused while a daemon that is alone has it, and given when that is gone', async () => {
      await claimBackupdir(directory, process.pid);
      expect(await refusal(shared)).toMatchObject({ reason: 'BACKUPDIR_IN_USE' });
      await leaveLock({ startTime: '1' });
      await claimBackupdir(directory, shared);
      expect(await refusal(process.pid)).toMatchObject({ reason: 'BACKUPDIR_IN_USE' });
    });
  });
});
