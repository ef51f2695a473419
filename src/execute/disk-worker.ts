/**
 * Entry of a thread that works on a backup disk. It asks the file system synchronously, which is several times as fast
 * as through the event loop, and holds nobody up but itself.
 */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { BusyError } from '../core/errors.js';
import { checkArchive } from './archive-check.js';
import { chooseMembers } from './archive-choice.js';
import { compareSnapshots } from './comparison.js';
import { searchDamaged } from './damage-search.js';
import type { DiskMessage, DiskOrder, DiskReport } from './disk-work.js';
import { compareRestored } from './drill-comparison.js';
import { selectForDrill } from './drill-selection.js';
import { lookForDownload } from './download-look.js';
import { chooseFromOriginal } from './original-choice.js';
import { makeManifest, type DiskWorkHooks } from './manifest.js';
import { ProgressSum } from './progress-sum.js';

const lowestPriority = 19;

const { work, cancelled, isIdle } = workerData as DiskOrder;
const progress = new ProgressSum(
  (done) => tell({ kind: 'progress', ...done }),
  () => performance.now(),
);

// Linux knows priorities of threads, and means the calling one by 0.
if (isIdle) setPriority(0, lowestPriority);
tell({ kind: 'started', thread: readlinkSync('/proc/thread-self').split('/').at(-1) ?? '' });
try {
  const report = await carryOut();
  progress.tellAll();
  tell({ kind: 'done', report });
} catch (error) {
  const isKnown = error instanceof BusyError;
  const message = error instanceof Error ? error.message : String(error);
  tell({
    kind: 'failed',
    reason: isKnown ? error.reason : null,
    facts: isKnown ? error.facts : {},
    message,
  });
}

function carryOut(): Promise<DiskReport> {
  const hooks: DiskWorkHooks = {
    check: () => {
      if (Atomics.load(cancelled, 0) !== 0) throw new BusyError('CANCELLED');
    },
    say: (text) => tell({ kind: 'say', text }),
    onProgress: (more) => progress.add(more),
  };
  switch (work.kind) {
    case 'manifest':
      return makeManifest(work.task, hooks);
    case 'search':
      return searchDamaged(work.task, hooks);
    case 'archiveCheck':
      return checkArchive(work.task, hooks);
    case 'archive choice':
      return chooseMembers(work.task, hooks);
    case 'original choice':
      return chooseFromOriginal(work.task, hooks);
    case 'comparison':
      return compareSnapshots(work.task, hooks);
    case 'drill selection':
      return selectForDrill(work.task, hooks);
    case 'drill comparison':
      return compareRestored(work.task, hooks);
    case 'download look':
      return lookForDownload(work.task);
    default:
      return work satisfies never;
  }
}

function tell(message: DiskMessage): void {
  parentPort?.postMessage(message, []);
}
