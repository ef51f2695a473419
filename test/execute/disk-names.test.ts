import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DiskNames } from '../../src/execute/disk.js';

describe('the name of a disk', () => {
  afterEach(() => vi.useRealTimers());

  test('is that of its file system, or the directory where there is none', async () => {
    const names = new DiskNames();
    expect(await names.nameOf(tmpdir())).toBe(`device ${(await stat(tmpdir())).dev}`);
    expect(await names.nameOf(join(tmpdir(), 'absent'))).toBe(join(tmpdir(), 'absent'));
  });

  test('is the directory while the disk hangs, which is asked once', async () => {
    vi.useFakeTimers();
    const answers: ((found: { dev: number }) => void)[] = [];
    const names = new DiskNames(() => new Promise((resolve) => answers.push(resolve)));
    const first = names.nameOf('/hangs');
    const second = names.nameOf('/hangs');
    await vi.advanceTimersByTimeAsync(5000);
    expect([await first, await second, await names.nameOf('/hangs')]).toEqual(['/hangs', '/hangs', '/hangs']);
    expect(answers).toHaveLength(1);
    answers[0]?.({ dev: 7 });
    await vi.advanceTimersByTimeAsync(0);
    const again = names.nameOf('/hangs');
    answers[1]?.({ dev: 7 });
    expect(await again).toBe('device 7');
    expect(vi.getTimerCount()).toBe(0);
  });
});
