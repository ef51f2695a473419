/**
 * Entry of a thread that looks into snapshots. It asks the file system synchronously, which is several times as fast as
 * through the event loop, and waits for its reader: no more than two batches are on the way.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { BrowseKind, BrowseWorks } from '../core/browse.js';
import { BusyError } from '../core/errors.js';
import { diffSnapshots } from './browse-diff.js';
import { findFiles } from './browse-find.js';
import { listVersions } from './browse-history.js';
import { listFiles } from './browse-list.js';
import type { BrowseMessage, BrowseOrder } from './browse-thread.js';

type Step = BrowseWorks[BrowseKind]['step'];

const stepsAtOnce = 500;
const flushEveryMs = 250;
const batchesOnTheWay = 2;

const { work, taken } = workerData as BrowseOrder;
let sent = 0;

try {
  let batch: Step[] = [];
  let flushedAt = performance.now();
  for await (const step of steps()) {
    // Of several steps of progress in a row only the last is of use.
    const before = batch.at(-1);
    if (before && isProgress(before) && isProgress(step)) batch.pop();
    batch.push(step);
    const isLate = performance.now() - flushedAt >= flushEveryMs;
    if (batch.length < stepsAtOnce && !isLate) continue;
    send(batch);
    batch = [];
    flushedAt = performance.now();
  }
  if (batch.length > 0) send(batch);
  tell({ kind: 'done' });
} catch (error) {
  const isKnown = error instanceof BusyError;
  const message = error instanceof Error ? error.message : String(error);
  const [reason, facts] = isKnown ? [error.reason, error.facts] : [null, {}];
  tell({ kind: 'failed', reason, facts, message });
}

function steps(): AsyncGenerator<Step> {
  switch (work.kind) {
    case 'list':
      return listFiles(work.task);
    case 'find':
      return findFiles(work.task);
    case 'history':
      return listVersions(work.task);
    case 'diff':
      return diffSnapshots(work.task);
    default:
      return work satisfies never;
  }
}

function isProgress(step: Step): boolean {
  return 'kind' in step && step.kind === 'progress';
}

function send(batch: readonly Step[]): void {
  tell({ kind: 'batch', batch });
  sent += 1;
  for (;;) {
    const count = Atomics.load(taken, 0);
    if (sent - count < batchesOnTheWay) return;
    Atomics.wait(taken, 0, count);
  }
}

function tell(message: BrowseMessage): void {
  parentPort?.postMessage(message, []);
}
