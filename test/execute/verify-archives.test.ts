import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ArchiveResult, ArchivesTask } from '../../src/core/archive-ports.js';
import { readTarball } from '../../src/execute/archive-files.js';
import { verifyArchives } from '../../src/execute/verify-archives.js';
import { sampleHost } from '../helpers/sample-host.js';

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'busy-verify-archives-'))));
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

/** Of an archive that nothing lies beside: two blocks of zeros are an empty tarball. */
async function verify(content: Buffer): Promise<ArchiveResult> {
  const path = join(directory, 'web1-2026-11-22_20-00-05f.tar.gz');
  await writeFile(path, content);
  const archive = await readTarball(path);
  if (!archive) throw new Error('it is there');
  const logFile = join(directory, 'run.log');
  const task: ArchivesTask = { runId: 'RUN', host: sampleHost({}), archives: [archive], logFile };
  const events = { onLog: () => {}, onProgress: () => {} };
  return verifyArchives(task, events, new AbortController().signal, { now: () => new Date(5) });
}

const whole = gzipSync(Buffer.alloc(10_240));

it('an archive without a manifest is damaged when tar finds that it cannot be read', async () => {
  expect(await verify(whole)).toMatchObject({ archives: [{ damage: '' }], error: null });
  const { archives, error } = await verify(whole.subarray(0, 15));
  expect(archives).toMatchObject([{ damage: expect.stringContaining('tar ended with') as string }]);
  expect(error).toMatchObject({ reason: 'ARCHIVE_DAMAGED' });
});

it('and not when tar was killed', async () => {
  await writeFile(join(directory, 'tar'), '#!/bin/sh\nkill -9 $$\n', { mode: 0o755 });
  vi.stubEnv('PATH', `${directory}:${process.env.PATH}`);
  const { archives, error } = await verify(whole);
  expect(archives).toEqual([]);
  expect(error?.reason).not.toBe('ARCHIVE_DAMAGED');
  expect(error?.message).toContain('SIGKILL');
});
