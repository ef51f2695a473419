import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchForStall } from '../../src/execute/stall.js';

const host = { idleTimeoutMs: 20_000 };
const never = new AbortController().signal;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('a host that sends nothing for its idle_timeout has stalled, one that sends something has not', () => {
  const watch = watchForStall(host, never);
  vi.advanceTimersByTime(19_000);
  watch.onTraffic();
  vi.advanceTimersByTime(19_000);
  expect([watch.hasStalled(), watch.signal.aborted]).toEqual([false, false]);
  vi.advanceTimersByTime(2000);
  expect([watch.hasStalled(), watch.signal.aborted]).toEqual([true, true]);
  watch.end();
});

it.each([70, -70])(
  'a clock that is set by %i hours makes no host silent, nor one that is silent talk',
  (hours) => {
    const watch = watchForStall(host, never);
    vi.advanceTimersByTime(10_000);
    vi.setSystemTime(Date.now() + hours * 3_600_000);
    vi.advanceTimersByTime(9000);
    expect(watch.hasStalled()).toBe(false);
    vi.advanceTimersByTime(2000);
    expect(watch.hasStalled()).toBe(true);
    watch.end();
  },
);
