import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Downloads } from '../../src/control/downloads.js';
import type { DownloadStep, ReadFiles } from '../../src/core/download.js';
import { BusyError } from '../../src/core/errors.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleSnapshot } from '../store/samples.js';

const snapshot = '2026-11-21_20-00-00f';
const request = { host: 'web1', snapshot, paths: ['/etc'], format: 'tar' } as const;
const never = new AbortController().signal;

/** Reads one piece after the other; what is asked of a download tells whether its reading has ended. */
function downloadsWith(mostIdleMs?: number): { downloads: Downloads; open: () => number } {
  let open = 0;
  const readFiles: ReadFiles = async function* () {
    open += 1;
    try {
      for (;;) yield { data: new Uint8Array(1) };
    } finally {
      open -= 1;
    }
  };
  const host = sampleHost({ name: 'web1' });
  const record = sampleSnapshot(snapshot, { host: 'web1' });
  const source = { host: 'web1', snapshot, directory: record.path, manifest: null };
  const parts = {
    catalog: { host: () => host },
    browser: { snapshot: () => Promise.resolve({ record, isArchived: false, source }) },
    hold: { refuseElsewhere: () => {} },
    readFiles,
  };
  return { downloads: new Downloads(parts, mostIdleMs), open: () => open };
}

async function reasonOf(step: Promise<unknown>): Promise<string> {
  return step.then(
    () => 'none',
    (error: unknown) => (error instanceof BusyError ? error.reason : String(error)),
  );
}

async function begin(downloads: Downloads): Promise<AsyncGenerator<DownloadStep>> {
  const steps = downloads.download(request, never);
  await steps.next();
  return steps;
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('a download whose reader takes nothing', () => {
  it('gives its place back, and tells the reader why when it goes on', async () => {
    const { downloads, open } = downloadsWith(1000);
    const all = await Promise.all([1, 2, 3, 4].map(() => begin(downloads)));
    expect(open()).toBe(4);
    await vi.advanceTimersByTimeAsync(1000);
    expect(open()).toBe(0);
    for (const steps of all) expect(await reasonOf(steps.next())).toBe('DOWNLOAD_STALLED');
    const next = await begin(downloads);
    expect(open()).toBe(1);
    await next.return(undefined);
    expect(open()).toBe(0);
  });

  it('is not waited for by a post-backup script', async () => {
    const { downloads, open } = downloadsWith();
    const steps = await begin(downloads);
    await downloads.endBelow('/elsewhere');
    expect(open()).toBe(1);
    await downloads.endBelow(sampleHost().backupdir);
    expect(open()).toBe(0);
    expect(await reasonOf(steps.next())).toBe('DOWNLOAD_BROKEN');
  });

  it('is told from one that takes all the time', async () => {
    const { downloads, open } = downloadsWith(1000);
    const steps = await begin(downloads);
    for (let piece = 0; piece < 10; piece++) {
      await vi.advanceTimersByTimeAsync(999);
      expect(await reasonOf(steps.next())).toBe('none');
    }
    await steps.return(undefined);
    expect(open()).toBe(0);
  });
});
