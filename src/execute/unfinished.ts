/** Partial directories at the end of a backup: of this one when it failed, of earlier ones when it did not. */
import { setTimeout as delay } from 'node:timers/promises';
import { toBusyError } from '../core/errors.js';
import type { RunLogFile } from './run-log-file.js';
import { discard, flushPartial, type HostStore, type PartialMark } from './snapshot-dir.js';

/** How long an ending backup may take to flush what it leaves for the next one. */
const flushMs = 1500;

/** Flushes what an unfinished backup leaves, so that the next one may trust it also after a restart of the machine. */
export async function leaveForNext(partial: string, mark: PartialMark, log: RunLogFile): Promise<void> {
  const flushed = flushPartial(partial, mark, AbortSignal.timeout(flushMs)).catch((error: unknown) =>
    log.say(`could not flush ${partial}: ${toBusyError(error).message}`),
  );
  // A disk with much to write keeps even a killed `sync` from ending; a cancel must not wait for it.
  await Promise.race([flushed, delay(2 * flushMs, undefined, { ref: false })]);
}

/**
 * After a commit nothing of earlier, unfinished backups is needed: they leave the listing now; the daemon frees their
 * space when the run has ended.
 */
export async function discardPartials(before: HostStore, log: RunLogFile): Promise<void> {
  for (const { path } of before.partials) {
    await discard(path).catch((error: unknown) =>
      log.say(`could not remove ${path}: ${toBusyError(error).message}`),
    );
  }
}
