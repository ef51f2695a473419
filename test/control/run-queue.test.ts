import { describe, expect, it } from 'vitest';
import { RunQueue, type QueuedRun } from '../../src/control/run-queue.js';

function waiting(id: string, changes: Partial<QueuedRun> = {}): QueuedRun {
  return { id, disk: 'disk', urgency: 1, ...changes };
}

/** A queue whose runs end when the test says so. */
function queueOf(maxRunning: number): {
  queue: RunQueue;
  started: string[];
  end: (id: string, hasBegun?: boolean) => Promise<void>;
} {
  const started: string[] = [];
  const running = new Map<string, (hasBegun: boolean) => void>();
  const queue = new RunQueue({ total: maxRunning, perDisk: maxRunning }, (id) => {
    started.push(id);
    return new Promise((resolve) => running.set(id, resolve));
  });
  const end = async (id: string, hasBegun = true): Promise<void> => {
    running.get(id)?.(hasBegun);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, started, end };
}

describe('RunQueue', () => {
  it('runs at most so many, and the rest first come first served', async () => {
    const { queue, started, end } = queueOf(2);
    for (const id of ['a', 'b', 'c', 'd']) queue.add(waiting(id));
    expect([started, queue.counts()]).toEqual([['a', 'b'], { queued: 2, running: 2 }]);
    await end('b');
    expect(started).toEqual(['a', 'b', 'c']);
    queue.add(waiting('e'));
    await end('a');
    await end('c');
    expect([started, queue.counts()]).toEqual([['a', 'b', 'c', 'd', 'e'], { queued: 0, running: 2 }]);
  });

  it('starts nothing while it is held', async () => {
    const { queue, started, end } = queueOf(2);
    queue.add(waiting('a'));
    queue.hold();
    queue.add(waiting('b'));
    await end('a');
    expect([started, queue.counts()]).toEqual([['a'], { queued: 1, running: 0 }]);
    queue.goOn();
    expect(started).toEqual(['a', 'b']);
  });

  it('lets one wait again that could not begin, before all others, and holds', async () => {
    const { queue, started, end } = queueOf(1);
    for (const id of ['a', 'b']) queue.add(waiting(id));
    await end('a', false);
    expect([started, queue.counts()]).toEqual([['a'], { queued: 2, running: 0 }]);
    queue.goOn();
    expect(started).toEqual(['a', 'a']);
    await end('a');
    expect(started).toEqual(['a', 'a', 'b']);
  });

  it('forgets a run that waits, and only that', async () => {
    const { queue, started, end } = queueOf(1);
    for (const id of ['a', 'b', 'c']) queue.add(waiting(id));
    queue.remove('b');
    queue.remove('a');
    queue.remove('never');
    expect(queue.counts()).toEqual({ queued: 1, running: 1 });
    await end('a');
    expect(started).toEqual(['a', 'c']);
  });

  it('starts nothing after a stop, and is idle when the last has ended', async () => {
    const { queue, started, end } = queueOf(2);
    for (const id of ['a', 'b', 'c']) queue.add(waiting(id));
    queue.stop();
    let isIdle = false;
    const idle = queue.idle().then(() => (isIdle = true));
    await end('a');
    queue.add(waiting('d'));
    expect([started, isIdle]).toEqual([['a', 'b'], false]);
    await end('b');
    await idle;
    expect([started, queue.counts()]).toEqual([['a', 'b'], { queued: 2, running: 0 }]);
  });

  it('is idle at once when nothing runs', async () => {
    await queueOf(1).queue.idle();
  });
});
