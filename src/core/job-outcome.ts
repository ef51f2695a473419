/**
 * What became of a job, decided from facts alone: exit codes, the files that rsync named, and what happened to the
 * connection. The meaning of rsync's exit codes is that of its manual page (EXIT VALUES).
 */
import picomatch from 'picomatch';
import { BusyError, type Failure } from './errors.js';
import { formatBytes } from './figures.js';
import type { Host } from './host.js';
import type { JobState, MissingFile } from './run.js';

/** A file that rsync named with a cause, seen from the host. */
export interface FileProblem extends MissingFile {
  /** The cause lies on the server's disk, not on the host. */
  readonly isOurs: boolean;
}

export interface JobFacts {
  readonly source: string;
  /** Exit code of the rsync that was the client; null when it did not end by itself. */
  readonly exitCode: number | null;
  /** A signal that ended the rsync on the server. */
  readonly localSignal: string | null;
  /** How the command on the host ended. */
  readonly remoteCode: number | null;
  readonly remoteSignal: string | null;
  readonly problems: readonly FileProblem[];
  /** The last lines that rsync or the host's shell wrote as errors. */
  readonly lastWords: string;
  /** Why the connection ended, when it ended before the job. */
  readonly lost: string | null;
  /** For how many seconds the host was silent, when that ended the job. */
  readonly stalledSeconds: number | null;
  /** Why the job was ended for what it has put on the backup disk, when it was. */
  readonly limitReached: Failure | null;
  readonly isCancelled: boolean;
}

export interface JobOutcome {
  readonly state: Extract<JobState, 'SUCCEEDED' | 'PARTIAL' | 'FAILED' | 'CANCELLED'>;
  readonly error: Failure | null;
}

const fileInputOutput = 11;
const outOfMemory = 22;
const someFilesFailed = 23;
const someFilesVanished = 24;

/** The outcome of one job on a host. The first rule that fits decides; a full disk outranks its consequences. */
export function outcomeOfJob(host: Host, facts: JobFacts): JobOutcome {
  const { source } = facts;
  if (facts.isCancelled) return { state: 'CANCELLED', error: null };
  // One that has ended well by itself has all that it wanted.
  if (facts.limitReached && facts.exitCode !== 0) return { state: 'FAILED', error: facts.limitReached };
  const diskFull = facts.problems.find((problem) => problem.isOurs && isOutOfSpace(problem.why));
  if (diskFull) return failed(new BusyError('DISK_FULL', { detail: diskFull.why }));
  if (facts.exitCode === fileInputOutput && isOutOfSpace(facts.lastWords))
    return failed(new BusyError('DISK_FULL', { detail: facts.lastWords }));
  if (facts.stalledSeconds !== null) {
    return failed(new BusyError('HOST_STALLED', { host: host.name, seconds: String(facts.stalledSeconds) }));
  }
  if (facts.exitCode === 0 && facts.localSignal === null) return { state: 'SUCCEEDED', error: null };
  if (facts.exitCode === someFilesVanished) return outcomeOfVanished(host, facts);
  if (facts.exitCode === someFilesFailed) return outcomeOfMissing(host, facts);
  if (facts.exitCode === outOfMemory && host.rsyncMemoryBytes > 0 && isOurMemory(facts.lastWords)) {
    const limit = formatBytes(host.rsyncMemoryBytes);
    return failed(new BusyError('RSYNC_OUT_OF_MEMORY', { source, host: host.name, limit }));
  }
  if (facts.lost !== null)
    return failed(new BusyError('CONNECTION_LOST', { host: host.name, detail: facts.lost }));
  if (facts.remoteCode === 127 || facts.remoteCode === 126) {
    return failed(new BusyError('RSYNC_MISSING', { where: `host "${host.name}"` }));
  }
  if (facts.localSignal !== null) {
    return failed(
      new BusyError('RSYNC_KILLED', { where: 'the server', ending: `signal ${facts.localSignal}`, source }),
    );
  }
  const remoteSignal = facts.remoteSignal ?? (facts.remoteCode ?? 0) > 128;
  if (remoteSignal !== false) {
    const ending = `signal ${facts.remoteSignal ?? (facts.remoteCode ?? 0) - 128}`;
    return failed(new BusyError('RSYNC_KILLED', { where: `host "${host.name}"`, ending, source }));
  }
  const ending = facts.exitCode === null ? 'no exit code' : `code ${facts.exitCode}`;
  return failed(
    new BusyError('RSYNC_FAILED', { ending, source, detail: facts.lastWords || 'it gave no reason' }),
  );
}

/** The problems that count: all but vanished files where the host says that files may vanish. */
export function missingFilesOf(host: Host, problems: readonly FileProblem[]): FileProblem[] {
  const isVolatile = volatileMatcher(host);
  return problems.filter((problem) => problem.why !== 'vanished' || !isVolatile(problem.path));
}

/** Whether a sentence of the system says that a disk or a quota is full. */
export function isOutOfSpace(why: string): boolean {
  return /No space left on device|Disk quota exceeded|\(28\)|\(122\)|\bENOSPC\b|\bEDQUOT\b/.test(why);
}

function outcomeOfVanished(host: Host, facts: JobFacts): JobOutcome {
  const missing = missingFilesOf(host, facts.problems);
  const [first] = missing;
  if (!first) return { state: 'SUCCEEDED', error: null };
  const details = { count: String(missing.length), source: facts.source, first: first.path };
  return { state: 'PARTIAL', error: new BusyError('FILES_VANISHED', details).toFailure() };
}

function outcomeOfMissing(host: Host, facts: JobFacts): JobOutcome {
  const { source } = facts;
  const root = facts.problems.find((problem) => !problem.isOurs && isRoot(source, problem.path));
  if (root?.why.endsWith('(2)')) return failed(new BusyError('SOURCE_MISSING', { source, host: host.name }));
  if (root?.why.endsWith('(13)')) {
    return failed(new BusyError('SOURCE_UNREADABLE', { source, host: host.name, user: host.user }));
  }
  const missing = missingFilesOf(host, facts.problems);
  const first = missing[0]?.path ?? `unknown (${facts.lastWords})`;
  const details = { count: String(Math.max(1, missing.length)), source, first };
  return { state: 'PARTIAL', error: new BusyError('FILES_MISSING', details).toFailure() };
}

/** With initiator server the sender's lack of memory is told with the same code. */
function isOurMemory(lastWords: string): boolean {
  return /\[(receiver|generator|Receiver|client)/.test(lastWords);
}

function isRoot(source: string, path: string): boolean {
  return path === source || path === `${source}/` || path === `${source}/.`;
}

/** As in excludes: a pattern that begins with a slash begins at the root, any other anywhere, and both reach below. */
function volatileMatcher(host: Host): (path: string) => boolean {
  if (host.volatile.length === 0) return () => false;
  const patterns = host.volatile.map((pattern) => pattern.replace(/\/+$/, ''));
  const anchored = patterns.map((pattern) => (pattern.startsWith('/') ? pattern : `**/${pattern}`));
  return picomatch([...anchored, ...anchored.map((pattern) => `${pattern}/**`)], { dot: true });
}

function failed(error: BusyError): JobOutcome {
  return { state: 'FAILED', error: error.toFailure() };
}
