/** Has work on a backup disk done by a thread of its own, so that the event loop stays free. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import { runProcess } from './process.js';
import type { DiskMessage, DiskOrder, DiskReport, DiskWork, DiskWorkKind, DiskWorks } from './disk-work.js';

export interface DiskThreadOptions {
  readonly signal: AbortSignal;
  /** Lets others go first, on the disk and on the processor. */
  readonly isIdle: boolean;
  readonly say: (text: string) => void;
  readonly onProgress: (done: { entries: number; bytes: number; current: BytePath }) => void;
}

/**
 * Settles when the thread has ended. Throws CANCELLED soon after `signal`, other BusyErrors, and what the file system
 * says as an Error.
 */
export async function workOnDisk<K extends DiskWorkKind>(
  kind: K,
  task: DiskWorks[K]['task'],
  { signal, isIdle, say, onProgress }: DiskThreadOptions,
): Promise<DiskWorks[K]['report']> {
  if (signal.aborted) throw new BusyError('CANCELLED');
  const work = { kind, task } as DiskWork;
  const order: DiskOrder = { work, cancelled: new Int32Array(new SharedArrayBuffer(4)), isIdle };
  const worker = new Worker(new URL('./disk-worker.js', import.meta.url), { workerData: order });
  const cancel = (): void => void Atomics.store(order.cancelled, 0, 1);
  signal.addEventListener('abort', cancel, { once: true });
  const ended = once(worker, 'exit');
  let report: DiskReport | null = null;
  let failure: Error | null = null;
  worker.on('error', (error) => (failure = error instanceof Error ? error : new Error(String(error))));
  worker.on('message', (message: DiskMessage) => {
    switch (message.kind) {
      case 'started':
        if (isIdle) beIdle(message.thread, 'process');
        return;
      case 'progress':
        onProgress(message);
        return;
      case 'say':
        say(message.text);
        return;
      case 'done':
        ({ report } = message);
        return;
      case 'failed': {
        const { reason, facts } = message;
        failure = reason === null ? new Error(message.message) : new BusyError(reason, facts);
        return;
      }
      default:
        message satisfies never;
    }
  });
  try {
    await ended;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
  if (report) return report;
  throw failure ?? new BusyError('INTERNAL', { what: 'a thread ended without a result' });
}

/** The disk serves others first, where its scheduler knows priorities; without `ionice` all goes on as it is. */
export function beIdle(id: string, of: 'process' | 'group'): void {
  runProcess('ionice', ['-c', '3', of === 'group' ? '-P' : '-p', id], new AbortController().signal).catch(
    () => {},
  );
}
