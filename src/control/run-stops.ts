/** Ends runs before their time. */
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { RunRecord } from '../core/run.js';
import type { ActiveRun } from './active-run.js';

export interface Stopping {
  readonly cancel: (id: string) => Promise<unknown>;
  /** Restores are waited for: somebody needs the files. */
  readonly sparesRestores: boolean;
  readonly onError: (message: string, error: unknown) => void;
}

/** Cancels those of the runs that have begun; settles when they have ended. */
export async function endRunning(
  runs: readonly ActiveRun[],
  { cancel, sparesRestores, onError }: Stopping,
): Promise<void> {
  const running = runs.filter(({ record }) => record.state === 'RUNNING');
  await Promise.all(
    running.map(async ({ record, ended }) => {
      try {
        if (!sparesRestores || record.kind !== 'restore') await cancel(record.id);
        await ended;
      } catch (error) {
        // One that ended by itself meanwhile is what was wanted.
        if (error instanceof BusyError && error.reason === 'RUN_ENDED') return;
        onError('could not cancel a run', error);
      }
    }),
  );
}

/** Waits for what runs to end by itself; `giveUp` makes an end of it. */
export async function givingUp(
  giveUp: AbortSignal,
  idle: Promise<void>,
  makeAnEnd: () => void,
): Promise<void> {
  if (giveUp.aborted) makeAnEnd();
  else giveUp.addEventListener('abort', makeAnEnd, { once: true });
  await idle;
  giveUp.removeEventListener('abort', makeAnEnd);
}

/** Tells the runs that read below a backup directory, which keep its disk from being unmounted. */
export function readersBelow(
  hosts: readonly Host[],
  backupdir: string,
): (run: Pick<RunRecord, 'kind' | 'host'>) => boolean {
  const below = new Set(hosts.filter((host) => host.backupdir === backupdir).map(({ name }) => name));
  return ({ kind, host }) => kind !== 'backup' && below.has(host);
}
