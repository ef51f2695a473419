import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import { requireLocalRsync, startFailure } from '../../src/execute/local-rsync.js';

const path = process.env.PATH ?? '';
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-local-rsync-'));
});

afterEach(async () => {
  process.env.PATH = path;
  await rm(directory, { recursive: true, force: true });
});

/** Puts a script in the place of rsync. */
async function standIn(script: string, mode = 0o755): Promise<void> {
  const file = join(directory, 'rsync');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, mode);
  process.env.PATH = `${directory}:${path}`;
}

function outcome(signal = new AbortController().signal): Promise<unknown> {
  return requireLocalRsync(signal).catch((error: unknown) => error);
}

test('the version of an rsync that is new enough is answered', async () => {
  await standIn('echo "rsync  version 3.2.4  protocol version 31"');
  expect(await outcome()).toBe('3.2.4');
});

test('an rsync that is too old, or tells no version, is refused as that', async () => {
  await standIn('echo "rsync  version 3.1.9  protocol version 31"');
  expect(await outcome()).toMatchObject({ reason: 'RSYNC_TOO_OLD' });
  await standIn('echo hello');
  expect(await outcome()).toMatchObject({ reason: 'RSYNC_TOO_OLD' });
});

test('only an rsync that cannot be started is missing', async () => {
  process.env.PATH = directory;
  expect(await outcome()).toMatchObject({ reason: 'RSYNC_MISSING' });
  for (const code of [126, 127]) {
    await standIn(`exit ${code}`);
    expect(await outcome()).toMatchObject({ reason: 'RSYNC_MISSING' });
  }
});

test('an rsync that is killed while it tells its version was killed', async () => {
  await standIn('kill -KILL $$');
  const error = await outcome();
  expect(error).toMatchObject({ reason: 'RSYNC_KILLED' });
  expect(String(error)).toContain(
    'rsync on the server was killed (signal SIGKILL) before it copied anything.',
  );
});

test('an rsync that fails has failed, with what it said', async () => {
  await standIn('echo "out of ideas" >&2; exit 22');
  const error = await outcome();
  expect(error).toMatchObject({ reason: 'RSYNC_FAILED' });
  expect(String(error)).toContain('rsync ended with code 22 for rsync --version: out of ideas.');
});

test('one that is stopped by the wish of its caller was cancelled', async () => {
  await standIn('exec sleep 60');
  expect(await outcome(AbortSignal.abort())).toMatchObject({ reason: 'CANCELLED' });
});

test('a system that cannot start it now is not one without it', () => {
  expect(failed('EACCES', 'spawn rsync')).toMatchObject({ reason: 'RSYNC_MISSING' });
  for (const code of ['EAGAIN', 'ENOMEM', 'EMFILE', 'ETXTBSY'])
    expect(failed(code, 'spawn rsync')).toMatchObject({ reason: 'RSYNC_NOT_STARTED' });
  expect(failed('ENOENT', 'open')).toMatchObject({ reason: 'INTERNAL' });
  const own = new BusyError('DISK_FULL', { detail: 'x' });
  expect(startFailure(own)).toBe(own);
});

function failed(code: string, syscall: string): BusyError {
  return startFailure(Object.assign(new Error(`${syscall} ${code}`), { code, syscall }));
}
