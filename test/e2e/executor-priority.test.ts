/** An executor steps back with all of its threads, so that the daemon answers while all cores are busy. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect, it, vi } from 'vitest';

const entry = new URL('../../dist/src/execute/executor-main.js', import.meta.url).pathname;

function nicenessOfThreads(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    // The nineteenth field; the name, which is the second, may hold blanks.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}

it('all threads of an executor have stepped back', async () => {
  const executor = fork(entry, ['off', '7'], { serialization: 'advanced' });
  try {
    const expected = Math.min(19, getPriority() + 7);
    await vi.waitFor(
      () => {
        const threads = nicenessOfThreads(executor.pid ?? 0);
        expect(threads.length).toBeGreaterThan(4);
        expect(new Set(threads)).toEqual(new Set([expected]));
      },
      { timeout: 30_000, interval: 50 },
    );
  } finally {
    const ended = once(executor, 'exit');
    executor.disconnect();
    await ended;
  }
}, 60_000);
