/** The rsync on the server: whether it is there and new enough. */
import { BusyError } from '../core/errors.js';
import { runProcess } from './process.js';

/** Older ones believe a host that adds names of its own to the file list (CVE-2022-29154). */
const oldestSafe = [3, 2, 4] as const;

/** The version of the local rsync. Throws RSYNC_MISSING or RSYNC_TOO_OLD. */
export async function requireLocalRsync(signal: AbortSignal): Promise<string> {
  let text: string;
  try {
    text = await runProcess('rsync', ['--version'], signal);
  } catch (error) {
    throw new BusyError('RSYNC_MISSING', { where: 'the server' }, { cause: error });
  }
  const version = /version (\d+)\.(\d+)\.(\d+)/.exec(text);
  if (!version) throw new BusyError('RSYNC_TOO_OLD', { version: 'of an unknown version' });
  const shown = version.slice(1, 4).join('.');
  if (isOlder(version.slice(1, 4).map(Number))) throw new BusyError('RSYNC_TOO_OLD', { version: shown });
  return shown;
}

function isOlder(version: readonly number[]): boolean {
  for (const [place, oldest] of oldestSafe.entries()) {
    const part = version[place] ?? 0;
    if (part !== oldest) return part < oldest;
  }
  return false;
}
