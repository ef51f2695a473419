import { describe, expect, it } from 'vitest';
import {
  isOutOfSpace,
  missingFilesOf,
  outcomeOfJob,
  type FileProblem,
  type JobFacts,
} from '../../src/core/job-outcome.js';
import { BusyError } from '../../src/core/errors.js';
import { sampleHost } from '../helpers/sample-host.js';

const host = sampleHost({ volatile: ['/var/spool/**', '**/*.tmp'] });

const wellEnded: JobFacts = {
  source: '/srv/data',
  exitCode: 0,
  localSignal: null,
  remoteCode: 0,
  remoteSignal: null,
  problems: [],
  lastWords: '',
  lost: null,
  stalledSeconds: null,
  limitReached: null,
  isCancelled: false,
};

const limitReached = new BusyError('DISK_FULL', { detail: 'only 1 B is left' }).toFailure();

const vanished = (path: string): FileProblem => ({ path, why: 'vanished', isOurs: false });
const denied = (path: string): FileProblem => ({ path, why: 'Permission denied (13)', isOurs: false });
const absent = (path: string): FileProblem => ({ path, why: 'No such file or directory (2)', isOurs: false });
const diskFull = (path: string): FileProblem => ({ path, why: 'No space left on device (28)', isOurs: true });

/** State and reason, as `PARTIAL FILES_MISSING`. */
function verdict(facts: Partial<JobFacts>): string {
  const { state, error } = outcomeOfJob(host, { ...wellEnded, ...facts });
  return error ? `${state} ${error.reason}` : state;
}

function messageOf(facts: Partial<JobFacts>): string {
  return outcomeOfJob(host, { ...wellEnded, ...facts }).error?.message ?? '';
}

describe('each ending of rsync', () => {
  it.each([
    [{ exitCode: 0 }, 'SUCCEEDED'],
    [{ exitCode: 23, problems: [denied('/srv/data/x')] }, 'PARTIAL FILES_MISSING'],
    [{ exitCode: 23, lastWords: 'some files were not transferred' }, 'PARTIAL FILES_MISSING'],
    [{ exitCode: 24, problems: [vanished('/srv/data/x')] }, 'PARTIAL FILES_VANISHED'],
    [{ exitCode: 24, problems: [vanished('/srv/data/x.tmp')] }, 'SUCCEEDED'],
    [{ exitCode: 1 }, 'FAILED RSYNC_FAILED'],
    [{ exitCode: 2 }, 'FAILED RSYNC_FAILED'],
    [{ exitCode: 5 }, 'FAILED RSYNC_FAILED'],
    [{ exitCode: 10 }, 'FAILED RSYNC_FAILED'],
    [{ exitCode: 11, problems: [diskFull('/srv/data/x')] }, 'FAILED DISK_FULL'],
    [{ exitCode: 11 }, 'FAILED RSYNC_FAILED'],
    [{ exitCode: 11, lastWords: 'write: No space left on device (28)' }, 'FAILED DISK_FULL'],
    [{ exitCode: 12, lastWords: 'write: No space left on device (28)' }, 'FAILED RSYNC_FAILED'],
    [{ exitCode: 20, localSignal: 'SIGTERM', limitReached }, 'FAILED DISK_FULL'],
    [{ exitCode: null, localSignal: 'SIGKILL', limitReached }, 'FAILED DISK_FULL'],
    [{ exitCode: 0, limitReached }, 'SUCCEEDED'],
    [{ exitCode: 20, limitReached, isCancelled: true }, 'CANCELLED'],
    [{ exitCode: 12 }, 'FAILED RSYNC_FAILED'],
    [{ exitCode: 12, lost: 'the other side closed it' }, 'FAILED CONNECTION_LOST'],
    [{ exitCode: 255, lost: 'keepalive timeout' }, 'FAILED CONNECTION_LOST'],
    [
      {
        exitCode: 22,
        lastWords:
          'rsync error: error allocating core memory buffers (code 22) at util2.c(76) [receiver=3.2.7]',
      },
      'FAILED RSYNC_OUT_OF_MEMORY',
    ],
    [
      {
        exitCode: 22,
        lastWords:
          'rsync error: error allocating core memory buffers (code 22) at util2.c(76) [sender=3.2.7]',
      },
      'FAILED RSYNC_FAILED',
    ],
    [{ exitCode: 12, remoteCode: 127 }, 'FAILED RSYNC_MISSING'],
    [{ exitCode: 12, remoteCode: 126 }, 'FAILED RSYNC_MISSING'],
    [{ exitCode: 12, remoteCode: 137 }, 'FAILED RSYNC_KILLED'],
    [{ exitCode: 12, remoteCode: 128 }, 'FAILED RSYNC_FAILED'],
    [{ exitCode: 12, remoteSignal: 'KILL' }, 'FAILED RSYNC_KILLED'],
    [{ exitCode: null, localSignal: 'SIGKILL' }, 'FAILED RSYNC_KILLED'],
    [{ exitCode: null, remoteCode: null }, 'FAILED RSYNC_FAILED'],
    [{ exitCode: 20 }, 'FAILED RSYNC_FAILED'],
    [{ exitCode: 25 }, 'FAILED RSYNC_FAILED'],
    [{ exitCode: 30, stalledSeconds: 600 }, 'FAILED HOST_STALLED'],
    [{ exitCode: null, localSignal: 'SIGTERM', stalledSeconds: 600 }, 'FAILED HOST_STALLED'],
    [{ exitCode: 20, isCancelled: true }, 'CANCELLED'],
    [{ exitCode: 0, isCancelled: true }, 'CANCELLED'],
  ] as const)('%j is %s', (facts, expected) => {
    expect(verdict(facts)).toBe(expected);
  });

  it('says which side was killed', () => {
    expect(messageOf({ exitCode: null, localSignal: 'SIGKILL' })).toContain(
      'on the server was killed (signal SIGKILL)',
    );
    expect(messageOf({ exitCode: 12, remoteCode: 137 })).toContain('on host "web1" was killed (signal 9)');
    expect(messageOf({ exitCode: 12, remoteSignal: 'KILL' })).toContain(
      'on host "web1" was killed (signal KILL)',
    );
  });

  it('says what rsync said last, and that it ended without a code', () => {
    expect(messageOf({ exitCode: 2, lastWords: 'protocol mismatch' })).toContain(
      'code 2 for /srv/data: protocol mismatch',
    );
    expect(messageOf({ exitCode: null })).toContain('no exit code for /srv/data: it gave no reason');
  });

  it('is no success when the rsync on the server was killed, whatever the host says', () => {
    expect(verdict({ exitCode: 0, localSignal: 'SIGKILL' })).toBe('FAILED RSYNC_KILLED');
  });
});

describe('a full disk', () => {
  const problems = [denied('/srv/data/a'), diskFull('/srv/data/b')];

  it.each([
    { exitCode: 0 },
    { exitCode: 11 },
    { exitCode: 12, lost: 'the other side closed it' },
    { exitCode: 12, remoteCode: 127 },
    { exitCode: 23 },
    { exitCode: 24 },
    { exitCode: null, localSignal: 'SIGTERM', stalledSeconds: 600 },
  ])('outranks %j', (facts) => {
    expect(verdict({ ...facts, problems })).toBe('FAILED DISK_FULL');
  });

  it('does not outrank a cancel', () => {
    expect(verdict({ exitCode: 20, problems, isCancelled: true })).toBe('CANCELLED');
  });

  it('of the host is not ours', () => {
    const theirs = { ...diskFull('/srv/data/b'), isOurs: false };
    expect(verdict({ exitCode: 23, problems: [theirs] })).toBe('PARTIAL FILES_MISSING');
  });

  it.each([
    ['No space left on device (28)', true],
    ['Disk quota exceeded (122)', true],
    ['write failed (28)', true],
    ['Permission denied (13)', false],
    ['File too large (27)', false],
    ['(128)', false],
    ['(282)', false],
    ['vanished', false],
  ])('is heard in %j: %s', (why, isFull) => {
    expect(isOutOfSpace(why)).toBe(isFull);
  });
});

describe('missing files', () => {
  it.each(['/srv/data', '/srv/data/', '/srv/data/.'])(
    'fail the job when the source itself is absent (%s)',
    (path) => {
      expect(verdict({ exitCode: 23, problems: [absent(path)] })).toBe('FAILED SOURCE_MISSING');
      expect(verdict({ exitCode: 23, problems: [denied(path)] })).toBe('FAILED SOURCE_UNREADABLE');
    },
  );

  it.each(['/srv/data/x', '/srv/data/.x', '/srv/database', '/srv', '/srv/data//x'])(
    'leave the job partial when the absent file is %s',
    (path) => {
      expect(verdict({ exitCode: 23, problems: [absent(path)] })).toBe('PARTIAL FILES_MISSING');
      expect(verdict({ exitCode: 23, problems: [denied(path)] })).toBe('PARTIAL FILES_MISSING');
    },
  );

  it('fail the job of the root directory too', () => {
    expect(verdict({ source: '/', exitCode: 23, problems: [denied('/')] })).toBe('FAILED SOURCE_UNREADABLE');
    expect(verdict({ source: '/', exitCode: 23, problems: [denied('/root')] })).toBe('PARTIAL FILES_MISSING');
  });

  it('do not fail the job for what our own disk refuses', () => {
    const ours = { path: '/srv/data', why: 'Permission denied (13)', isOurs: true };
    expect(verdict({ exitCode: 23, problems: [ours] })).toBe('PARTIAL FILES_MISSING');
  });

  it('are counted, and the first is named', () => {
    const problems = [vanished('/srv/data/gone.tmp'), denied('/srv/data/a'), vanished('/srv/data/b')];
    expect(messageOf({ exitCode: 23, problems })).toMatch(
      /^2 files below \/srv\/data .* the first: \/srv\/data\/a\.$/,
    );
    expect(messageOf({ exitCode: 23, lastWords: 'who knows' })).toMatch(
      /^1 files .* unknown \(who knows\)\.$/,
    );
  });
});

describe('volatile files', () => {
  it.each(['/var/spool/a', '/var/spool/deep/down', '/srv/data/x.tmp', '/srv/.hidden/.y.tmp'])(
    'may vanish: %s',
    (path) => {
      expect(missingFilesOf(host, [vanished(path)])).toEqual([]);
    },
  );

  it.each(['/var/spoolx/a', '/srv/data/x.tmp2', '/srv/data/tmp'])('are not all files: %s', (path) => {
    expect(missingFilesOf(host, [vanished(path)])).toHaveLength(1);
  });

  it.each([
    ['*.lock', '/home/a/.x.lock', true],
    ['*.lock', '/home/a/x.locks', false],
    ['/tmp', '/tmp/a/b', true],
    ['/tmp', '/srv/tmp/a', false],
    ['/tmp', '/tmpfile', false],
    ['cache/', '/home/a/cache/b/c', true],
    ['cache/', '/home/a/caches/b', false],
  ])('are named as in excludes: %s and %s: %s', (pattern, path, mayVanish) => {
    const missing = missingFilesOf(sampleHost({ volatile: [pattern] }), [vanished(path)]);
    expect(missing).toHaveLength(mayVanish ? 0 : 1);
  });

  it('may vanish, but not be unreadable', () => {
    expect(missingFilesOf(host, [denied('/var/spool/a')])).toHaveLength(1);
    expect(verdict({ exitCode: 23, problems: [denied('/var/spool/a')] })).toBe('PARTIAL FILES_MISSING');
  });

  it('do not excuse the others', () => {
    const problems = [vanished('/var/spool/a'), vanished('/srv/data/x'), vanished('/srv/data/y')];
    expect(verdict({ exitCode: 24, problems })).toBe('PARTIAL FILES_VANISHED');
    expect(messageOf({ exitCode: 24, problems })).toMatch(/^2 files .* the first: \/srv\/data\/x\.$/);
  });

  it('are none where the host names none', () => {
    expect(missingFilesOf(sampleHost(), [vanished('/var/spool/a')])).toHaveLength(1);
  });
});
