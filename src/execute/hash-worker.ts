/** Entry of a thread that hashes what it is sent. */
import { createHash, type Hash } from 'node:crypto';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { HashAnswer, HashOrder } from './hash-threads.js';

const lowestPriority = 19;
const hashes = new Map<number, Hash>();

// Linux knows priorities of threads, and means the calling one by 0.
if (workerData === 'idle') setPriority(0, lowestPriority);
parentPort?.on('message', ({ id, piece }: HashOrder) => {
  const hash = hashes.get(id) ?? createHash('sha256');
  if (piece === null) {
    hashes.delete(id);
    answer({ id, bytes: 0, sha256: hash.digest('hex') });
    return;
  }
  hashes.set(id, hash.update(piece));
  answer({ id, bytes: piece.length, sha256: null });
});

function answer(message: HashAnswer): void {
  parentPort?.postMessage(message, []);
}
