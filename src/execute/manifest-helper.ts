/** Entry of a thread that makes lines of a manifest; see `manifest-helpers.ts`. It ends when it is ended. */
import { parentPort, workerData } from 'node:worker_threads';
import { makeLines, unpack, type PackedBatch } from './manifest-batch.js';
import type { HelperAnswer, HelperOrder } from './manifest-helpers.js';
import { ProgressSum } from './progress-sum.js';
import { SharedHashes } from './shared-hashes.js';

const { root, ahead } = workerData as HelperOrder;
const progress = new ProgressSum(
  (done) => answer({ kind: 'progress', ...done }),
  () => performance.now(),
);
const tools = {
  root,
  ahead: ahead && new SharedHashes(ahead),
  check: (): void => {},
  onProgress: progress.add.bind(progress),
};

parentPort?.on('message', (batch: PackedBatch) => {
  const lines = makeLines(unpack(batch), tools);
  progress.tellAll();
  answer({ kind: 'lines', lines });
});

function answer(message: HelperAnswer): void {
  parentPort?.postMessage(message, []);
}
