/**
 * A backup that lost its host: one that is there and broke off has failed, and one that is gone went away, as laptops
 * do. Which of the two it was is asked for when it has happened.
 */
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { BackupResult } from '../core/executor-port.js';
import type { LifecycleParts } from './lifecycle-parts.js';

/** Gives the result another reason when the host is gone. Not after `signal`: then nobody waits for the answer. */
export async function judgeLoss(
  { lookFor }: Pick<LifecycleParts, 'lookFor'>,
  host: Host,
  result: BackupResult,
  signal: AbortSignal,
): Promise<BackupResult> {
  const { error } = result;
  if (error?.reason !== 'CONNECTION_LOST' && error?.reason !== 'HOST_STALLED') return result;
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const presence = await Promise.race([aborted, lookFor(host)]);
  if (presence === null || presence.isOnline) return result;
  const { reason } = presence;
  const away = new BusyError('HOST_WENT_AWAY', { host: host.name, reason, before: error.message });
  return { ...result, error: away.toFailure() };
}
