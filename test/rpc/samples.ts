/** Records for the tests of the rpc layer. */
import type { ListedTrash } from '../../src/control/trash.js';
import type { Host } from '../../src/core/host.js';
import type { Progress, RunRecord } from '../../src/core/run.js';
import { sampleHost as baseHost } from '../helpers/sample-host.js';
import { noTransfer, type SnapshotRecord } from '../../src/core/snapshot.js';

export function sampleHost(name: string): Host {
  return baseHost({
    name,
    hostname: name,
    identityFile: `/var/lib/busy/keys/${name}`,
    srcdirs: ['/etc', '/home'],
    excludes: ['*.tmp'],
    initiator: 'client',
    jobsAtOnce: 2,
  });
}

export function sampleSnapshot(host: string, name: string): SnapshotRecord {
  return {
    host,
    name,
    type: name.endsWith('f') ? 'full' : 'incremental',
    outcome: 'PARTIAL',
    path: `/srv/backup/${host}/${name}`,
    startedAt: new Date(1_795_000_000_001),
    committedAt: new Date(1_795_000_060_999),
    runId: runId(1),
    linkBases: ['2026-11-20_20-00-05f'],
    sources: ['/etc'],
    stats: { ...noTransfer, totalBytes: Number.MAX_SAFE_INTEGER },
    missingFileCount: 3,
    heldFor: [],
    manifest: { entries: 12, files: 7, bytes: 4096, unreadable: 1 },
    verifiedAt: new Date('2026-11-22T21:00:00Z'),
    damagedFileCount: 2,
  };
}

export function runId(number: number): string {
  return `01JDTEST${String(number).padStart(18, '0')}`;
}

export function sampleRun(number: number, changes: Partial<RunRecord> = {}): RunRecord {
  return {
    id: runId(number),
    kind: 'backup',
    host: 'web1',
    state: 'PARTIAL',
    requestedType: 'auto',
    type: 'full',
    typeReason: 'There is no full one.',
    createdAt: new Date(1_795_000_000_123),
    startedAt: new Date(1_795_000_001_000),
    endedAt: null,
    snapshot: null,
    error: { reason: 'DISK_FULL', message: 'The backup disk is full.', advice: 'Free space.' },
    jobs: [
      {
        number: 1,
        source: '/etc',
        state: 'PARTIAL',
        error: null,
        exitCode: 0,
        stats: { ...noTransfer, fileCount: 7 },
        missingFiles: [{ path: '/etc/shadow', why: 'Permission denied (13)' }],
        missingFileCount: 1,
      },
      {
        number: 2,
        source: '/home',
        state: 'WAITING',
        error: null,
        exitCode: null,
        stats: null,
        missingFiles: [],
        missingFileCount: 0,
      },
    ],
    verification: null,
    archiving: null,
    restore: null,
    drill: null,
    requestId: null,
    isScheduled: false,
    acceptsChanges: false,
    revision: number,
    ...changes,
  };
}

export const sampleProgress: Progress = {
  phase: 'copy',
  jobNumber: 1,
  jobCount: 2,
  jobsEnded: 0,
  bytesDone: 5_000_000_000,
  percent: 41.7,
  bytesPerSecond: 1234.5,
  secondsLeft: null,
  filesTransferred: 3,
  entriesDone: 0,
  currentFile: 'zoë 😀',
  isListing: true,
};

export const sampleTrash: ListedTrash = {
  id: '01KB0000000000000000000000',
  kind: 'snapshot',
  host: 'web1',
  snapshot: '2026-11-21_20-00-05f',
  putAt: new Date(1_795_000_000_000),
  putBy: 'ann',
  goesAt: new Date(1_795_604_800_000),
  path: '/srv/backup/web1/.trash-01KB0000000000000000000000-2026-11-21_20-00-05f',
};
