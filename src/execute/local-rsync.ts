/** The rsync on the server: whether it is there and new enough, and what keeps it from starting. */
import { BusyError, toBusyError } from '../core/errors.js';
import { describeEnding, outcomeOfProcess, type Outcome } from './process.js';

/** Older ones believe a host that adds names of its own to the file list (CVE-2022-29154). */
const oldestSafe = [3, 2, 4] as const;

/** What a shell, and the system's loader of programs, say of one that cannot be started. */
const cannotStart: readonly (number | null)[] = [126, 127];

/** The version of the local rsync. Throws RSYNC_TOO_OLD, CANCELLED, or why it does not tell its version. */
export async function requireLocalRsync(signal: AbortSignal): Promise<string> {
  const text = await askVersion(signal);
  const version = /version (\d+)\.(\d+)\.(\d+)/.exec(text);
  if (!version) throw new BusyError('RSYNC_TOO_OLD', { version: 'of an unknown version' });
  const shown = version.slice(1, 4).join('.');
  if (isOlder(version.slice(1, 4).map(Number))) throw new BusyError('RSYNC_TOO_OLD', { version: shown });
  return shown;
}

/** What keeps an rsync on the server from starting, as a reason. */
export function startFailure(error: unknown): BusyError {
  if (error instanceof BusyError) return error;
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (!syscall?.startsWith('spawn')) return toBusyError(error);
  if (code === 'ENOENT' || code === 'EACCES') return missing(error);
  return new BusyError('RSYNC_NOT_STARTED', { detail: message }, { cause: error });
}

async function askVersion(signal: AbortSignal): Promise<string> {
  let outcome: Outcome;
  try {
    outcome = await outcomeOfProcess('rsync', ['--version'], signal);
  } catch (error) {
    throw startFailure(error);
  }
  const { ending, out, err } = outcome;
  if (ending.code === 0) return out;
  if (signal.aborted) throw new BusyError('CANCELLED');
  const detail = err.trim().slice(-500) || 'it gave no reason';
  if (cannotStart.includes(ending.code)) throw missing(new Error(detail));
  const where = 'the server';
  if (ending.code === null) throw new BusyError('RSYNC_KILLED', { where, ending: describeEnding(ending) });
  throw new BusyError('RSYNC_FAILED', { ending: describeEnding(ending), source: 'rsync --version', detail });
}

function missing(cause: unknown): BusyError {
  return new BusyError('RSYNC_MISSING', { where: 'the server' }, { cause });
}

function isOlder(version: readonly number[]): boolean {
  for (const [place, oldest] of oldestSafe.entries()) {
    const part = version[place] ?? 0;
    if (part !== oldest) return part < oldest;
  }
  return false;
}
