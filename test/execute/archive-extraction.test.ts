import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { extractMembers } from '../../src/execute/archive-extraction.js';
import { sampleArchive } from './sample-archive.js';

let scratch: string;
beforeEach(async () => (scratch = await mkdtemp(join(tmpdir(), 'busy-extraction-'))));
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(scratch, { recursive: true, force: true });
});

it('a tar that cannot be started is told by the call alone', async () => {
  const unheard: unknown[] = [];
  const note = (error: unknown): void => void unheard.push(error);
  process.prependListener('unhandledRejection', note);
  vi.stubEnv('PATH', '/nowhere');
  const archive = sampleArchive(join(scratch, 'web-1-2026-11-22_20-00-05f.tar.gz'));
  const extraction = { archive, scratch, minFree: { unit: 'bytes' as const, amount: 0 }, say: () => {} };
  const wanted = { members: ['a'], parents: [], bytes: 1 };
  const extracted = extractMembers(extraction, wanted, new AbortController().signal);
  await expect(extracted).rejects.toMatchObject({ code: 'ENOENT' });
  process.off('unhandledRejection', note);
  expect(unheard).toEqual([]);
});
