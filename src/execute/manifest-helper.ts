/** Entry of a thread that makes lines of a manifest; see `manifest-helpers.ts`. It ends when it is ended. */
import { parentPort, workerData } from 'node:worker_threads';
import { contentOf } from './file-content.js';
import { makeLines, unpack } from './manifest-batch.js';
import type { HelperAnswer, HelperOrder, HelperResult, HelperWork } from './manifest-helpers.js';
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

parentPort?.on('message', (work: HelperWork) => {
  const result = carryOut(work);
  progress.tellAll();
  answer({ kind: 'done', result });
});

function carryOut(work: HelperWork): HelperResult {
  switch (work.kind) {
    case 'lines':
      return makeLines(unpack(work.batch), tools);
    case 'contents':
      return work.files.map((file) => contentOf(file, tools));
    default:
      return work satisfies never;
  }
}

function answer(message: HelperAnswer): void {
  parentPort?.postMessage(message, []);
}
