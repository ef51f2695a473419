/** What became of a call of rsync that restores, decided from facts alone. */
import { BusyError } from './errors.js';
import { counted } from './figures.js';
import type { Host } from './host.js';
import { isOutOfSpace } from './job-outcome.js';

export interface RestoreFacts {
  /** Of the rsync on the server, which sends. */
  readonly exitCode: number | null;
  readonly localSignal: string | null;
  /** Of what ran at the target. */
  readonly remoteCode: number | null;
  readonly remoteSignal: string | null;
  /** Files that rsync named with a cause, the first of them, and how many there are. */
  readonly firstProblem: string | null;
  readonly problemCount: number;
  /** What rsync or the shell of the host last said as errors. */
  readonly lastWords: string;
  /** Why the connection ended, when it ended before. */
  readonly lost: string | null;
  readonly stalledSeconds: number | null;
  readonly isCancelled: boolean;
}

export interface RestorePlace {
  /** Null: the server. */
  readonly host: Host | null;
  /** Where rsync begins there. */
  readonly directory: string;
}

const partial = [23, 24];

/** Null when all was done. The first rule that fits decides. */
export function failureOfRestore(place: RestorePlace, facts: RestoreFacts): BusyError | null {
  const { host } = place;
  const where = host ? `host "${host.name}"` : 'the server';
  if (facts.isCancelled) return new BusyError('RESTORE_CANCELLED');
  if (facts.exitCode === 0 && facts.localSignal === null) return null;
  if (host && /read-only server is not allowed|\bread.only\b/i.test(facts.lastWords)) return readOnly(host);
  if (isOutOfSpace(facts.lastWords)) {
    return new BusyError('RESTORE_DISK_FULL', { where, detail: facts.lastWords });
  }
  if (facts.remoteCode === 127 || facts.remoteCode === 126) return new BusyError('RSYNC_MISSING', { where });
  if (host && facts.stalledSeconds !== null) {
    const detail = `it took nothing for ${facts.stalledSeconds} seconds`;
    return new BusyError('RESTORE_BROKE_OFF', { host: host.name, detail });
  }
  if (facts.exitCode !== null && partial.includes(facts.exitCode)) {
    const count = counted(Math.max(1, facts.problemCount), 'problem');
    return new BusyError('RESTORE_INCOMPLETE', { count, first: facts.firstProblem ?? facts.lastWords });
  }
  if (host && facts.lost !== null) {
    return new BusyError('RESTORE_BROKE_OFF', { host: host.name, detail: facts.lost });
  }
  const noTarget = /mkdir "?(.*?)"? failed: (.*)|change_dir.* failed: (.*)/.exec(facts.lastWords);
  if (noTarget) {
    const detail = noTarget[2] ?? noTarget[3] ?? '';
    return new BusyError('RESTORE_TARGET_UNUSABLE', { directory: place.directory, where, detail });
  }
  const remoteSignal = facts.remoteSignal ?? ((facts.remoteCode ?? 0) > 128 ? facts.remoteCode : null);
  if (host && remoteSignal !== null) {
    return new BusyError('RESTORE_BROKE_OFF', { host: host.name, detail: 'rsync was killed there' });
  }
  const ending =
    facts.localSignal !== null
      ? `signal ${facts.localSignal}`
      : facts.exitCode === null
        ? 'no exit code'
        : `code ${facts.exitCode}`;
  const detail = facts.lastWords || 'it gave no reason';
  return new BusyError('RSYNC_FAILED', { ending, source: 'the restore', detail });
}

function readOnly({ name, user, identityFile, restoreIdentityFile }: Host): BusyError {
  const used = restoreIdentityFile || identityFile;
  const suggested = restoreIdentityFile || `${identityFile}-restore`;
  return new BusyError('RESTORE_KEY_READ_ONLY', {
    host: name,
    user,
    identityFile: used,
    suggested,
    directory: '/',
  });
}
