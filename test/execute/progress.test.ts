import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Progress } from '../../src/core/run.js';
import { ProgressMeter } from '../../src/execute/progress.js';
import type { RsyncEvent } from '../../src/execute/rsync-output.js';

let reports: Progress[];
beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 10, 22) });
  reports = [];
});
afterEach(() => vi.useRealTimers());

function meter(jobCount: number, isIncremental = false): ProgressMeter {
  const clock = { now: (): Date => new Date() };
  return new ProgressMeter(jobCount, isIncremental, clock, (progress) => reports.push(progress));
}

function bytes(bytesDone: number, percent: number, bytesPerSecond = 100): RsyncEvent {
  return { kind: 'progress', progress: { bytesDone, percent, bytesPerSecond } };
}

function checked(transferred: number, left: number, total: number, isListing = false): RsyncEvent {
  return { kind: 'checked', transferred, left, total, isListing };
}

function item(path: string): RsyncEvent {
  return { kind: 'item', change: '>f+++++++++', size: 1, path };
}

describe('how often it reports', () => {
  it('says the first value at once', async () => {
    meter(1).update(1, bytes(1, 0));
    await vi.advanceTimersByTimeAsync(0);
    expect(reports.map(({ bytesDone }) => bytesDone)).toEqual([1]);
  });

  it('says at most four values a second, each the latest, and the last at the end', async () => {
    const made = meter(1);
    for (let done = 1; done <= 1000; done++) {
      made.update(1, bytes(done, Math.floor(done / 10)));
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(reports.length).toBeGreaterThanOrEqual(4);
    expect(reports.length).toBeLessThanOrEqual(5);
    made.update(1, bytes(5000, 99));
    made.end();
    expect(reports.at(-1)?.bytesDone).toBe(5000);
    const said = reports.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(reports).toHaveLength(said);
  });

  it('keeps no timer after the end', () => {
    const made = meter(1);
    made.update(1, item('x'));
    made.end();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('says nothing for what is no progress, or of a job that does not exist', async () => {
    const made = meter(1);
    made.update(1, { kind: 'message', line: 'sending incremental file list' });
    made.update(2, bytes(1, 1));
    made.update(0, bytes(1, 1));
    await vi.advanceTimersByTimeAsync(1000);
    expect(reports).toEqual([]);
  });
});

describe('what it reports', () => {
  it('adds the jobs up', async () => {
    const made = meter(2);
    made.update(1, bytes(1000, 40, 100));
    made.update(1, checked(3, 5, 10));
    made.update(2, bytes(500, 20, 50));
    made.update(2, checked(4, 1, 9, true));
    made.update(2, item('a/b'));
    await vi.advanceTimersByTimeAsync(0);
    expect(reports).toEqual([
      {
        phase: 'copy',
        jobNumber: 2,
        jobCount: 2,
        jobsEnded: 0,
        bytesDone: 1500,
        percent: 30,
        bytesPerSecond: 150,
        secondsLeft: 0,
        filesTransferred: 7,
        entriesDone: 0,
        currentFile: 'a/b',
        isListing: true,
      },
    ]);
  });

  it('counts files instead of bytes when it is incremental', () => {
    const made = meter(1, true);
    made.update(1, bytes(10, 1));
    made.update(1, checked(1, 250, 1000));
    made.end();
    expect(reports.at(-1)?.percent).toBe(75);
  });

  it('is 0 % before anything is listed', () => {
    meter(1, true).end();
    meter(1).end();
    expect(reports.map(({ percent, secondsLeft }) => [percent, secondsLeft])).toEqual([
      [0, null],
      [0, null],
    ]);
  });

  it('counts an ended job as whole, without a rate', () => {
    const made = meter(2);
    made.update(1, bytes(1000, 99, 100));
    made.jobEnded(1);
    made.end();
    expect(reports.at(-1)).toMatchObject({
      percent: 50,
      jobsEnded: 1,
      bytesDone: 1000,
      bytesPerSecond: 0,
      isListing: true,
    });
    made.jobEnded(2);
    made.end();
    expect(reports.at(-1)).toMatchObject({ percent: 100, jobsEnded: 2, secondsLeft: 0, isListing: false });
  });

  it('foretells the rest from 2 % on', async () => {
    const made = meter(1);
    await vi.advanceTimersByTimeAsync(10_000);
    made.update(1, bytes(1, 1));
    made.end();
    expect(reports.at(-1)?.secondsLeft).toBeNull();
    made.update(1, bytes(2, 2));
    made.end();
    expect(reports.at(-1)?.secondsLeft).toBe(490);
    made.update(1, bytes(2, 50));
    made.end();
    expect(reports.at(-1)?.secondsLeft).toBe(10);
  });
});
