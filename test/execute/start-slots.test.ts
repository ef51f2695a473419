import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { StartSlots } from '../../src/execute/start-slots.js';

describe('places for work that may be slow', () => {
  let slots: StartSlots;
  const begun: string[] = [];
  const ends = new Map<string, () => void>();

  beforeEach(() => {
    vi.useFakeTimers();
    slots = new StartSlots(2, 1000);
    begun.length = 0;
  });
  afterEach(() => vi.useRealTimers());

  function begin(name: string): Promise<string> {
    return slots.take(name, () => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, () => resolve(`${name} ended`)));
    });
  }

  test('are so many, and free when the work has ended', async () => {
    const [a] = [begin('a'), begin('b'), begin('c')];
    await vi.advanceTimersByTimeAsync(999);
    expect(begun).toEqual(['a', 'b']);
    ends.get('a')?.();
    expect(await a).toBe('a ended');
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(vi.getTimerCount()).toBe(2);
  });

  test('are free too when the work takes long, which goes on to its end', async () => {
    const [a] = [begin('a'), begin('b'), begin('c')];
    await vi.advanceTimersByTimeAsync(1000);
    expect(begun).toEqual(['a', 'b', 'c']);
    ends.get('a')?.();
    expect(await a).toBe('a ended');
  });

  test('are not taken by what was slow the last time', async () => {
    const slow = [begin('slow-1'), begin('slow-2')];
    await vi.advanceTimersByTimeAsync(1000);
    for (const name of ['slow-1', 'slow-2']) ends.get(name)?.();
    await Promise.all(slow);
    for (const name of ['slow-1', 'slow-2', 'slow-1', 'quick']) void begin(name);
    await vi.advanceTimersByTimeAsync(0);
    expect(begun.slice(2)).toEqual(['slow-1', 'slow-2', 'quick']);
  });

  test('hand on what the work throws', async () => {
    const failing = slots.take('bad', () => Promise.reject(new Error('broken')));
    await expect(failing).rejects.toThrow('broken');
  });
});
