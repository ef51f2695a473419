/** Room on the backup disk: asked for before anything is begun, and watched while a backup copies. */
import { BusyError } from '../core/errors.js';
import type { BackupEvents } from '../core/executor-port.js';
import type { BackupType } from '../core/snapshot.js';
import { judgeFloor, type MinFree } from '../core/space.js';
import { afterAbort } from './command-end.js';
import { roomOf } from './disk.js';

/** Less than what the fastest network brings in this time should not matter against `min_free`. */
const lookEveryMs = 500;

/** Throws DISK_SPACE_LOW, or CANCELLED at once when that comes meanwhile. */
export async function requireRoom(
  events: Pick<BackupEvents, 'askForRoom'>,
  type: BackupType,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw new BusyError('CANCELLED');
  const refusal = await Promise.race([events.askForRoom(type), afterAbort(signal, 0)]);
  if (signal.aborted) throw new BusyError('CANCELLED');
  if (refusal) throw refusal;
}

export interface FloorWatch {
  /** Aborted, with the error as its reason, when the disk has too little left for any backup to go on. */
  readonly signal: AbortSignal;
  end(): void;
}

/**
 * Looks again and again how much is free: a disk that is filled to the last byte harms all else that lives on it, and
 * a backup that stops a little earlier loses nothing by it.
 */
export function watchFloor(directory: string, minFree: MinFree): FloorWatch {
  const low = new AbortController();
  let isLooking = false;
  const look = async (): Promise<void> => {
    // A disk that hangs answers late, and is not asked again meanwhile.
    if (isLooking) return;
    isLooking = true;
    const room = await roomOf(directory);
    isLooking = false;
    const error = room && judgeFloor(room, minFree);
    if (error) low.abort(error);
  };
  const timer = setInterval(() => void look(), lookEveryMs);
  return { signal: low.signal, end: () => clearInterval(timer) };
}
