import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingFilesKept, type JobRecord } from '../../src/core/run.js';
import { readJobs, writeSnapshotJson } from '../../src/execute/snapshot-json.js';
import { sampleSnapshot } from '../store/samples.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-snapshot-json-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('readJobs', () => {
  it('answers what was written, with the first of the missing files', async () => {
    const missing = Array.from({ length: missingFilesKept + 5 }, (_, number) => ({
      path: `/etc/${number}`,
      why: 'vanished',
    }));
    const job: JobRecord = {
      number: 1,
      source: '/etc',
      state: 'PARTIAL',
      error: { reason: 'FILES_VANISHED', message: 'some vanished', advice: 'look' },
      exitCode: 24,
      stats: null,
      missingFiles: missing.slice(0, missingFilesKept),
      missingFileCount: missing.length,
    };
    await writeSnapshotJson(directory, {
      snapshot: sampleSnapshot('2026-11-22_20-00-05f'),
      jobs: [job],
      missingFiles: [missing],
      initiator: 'server',
      address: '127.0.0.1 port 22',
      rsyncOnServer: '3.5.0',
      rsyncOnHost: '3.5.0',
    });
    expect(await readJobs(directory)).toEqual([job]);
  });

  it('answers nothing where the file is missing or does not tell', async () => {
    expect(await readJobs(directory)).toEqual([]);
    await writeFile(join(directory, 'snapshot.json'), '{"version":1}');
    expect(await readJobs(directory)).toEqual([]);
  });
});
