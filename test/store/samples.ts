/** Records for the tests of the store; every field is set, so that a lost one is seen. */
import type { RunRecord } from '../../src/core/run.js';
import type { SnapshotRecord, TransferStats } from '../../src/core/snapshot.js';

export const largest = Number.MAX_SAFE_INTEGER;

/** What databases like to take for one another. */
export const lookAlikes = [
  'web1',
  'WEB1',
  'web1 ',
  ' web1',
  'wéb1',
  'we\u0301b1',
  'web1\u{1f600}',
  'web1\u{1f601}',
];

export const stats: TransferStats = {
  fileCount: largest,
  filesTransferred: 2,
  filesCreated: 3,
  totalBytes: largest - 1,
  transferredBytes: 5,
  receivedBytes: 6,
  sentBytes: 7,
  regularFiles: 8,
  copiedFiles: 9,
  copiedBytes: 10,
  attributeChangedFiles: 11,
  linkedFiles: 12,
  linkedBytes: 13,
};

/** Ids that sort by their number, as ULIDs sort by time. */
export function runId(number: number): string {
  return `01JDTEST${String(number).padStart(18, '0')}`;
}

export function sampleRun(number: number, changes: Partial<RunRecord> = {}): RunRecord {
  return {
    id: runId(number),
    kind: 'backup',
    host: 'web1',
    state: 'QUEUED',
    requestedType: 'auto',
    type: null,
    typeReason: '',
    createdAt: new Date(1_795_000_000_123),
    startedAt: null,
    endedAt: null,
    snapshot: null,
    error: null,
    jobs: [],
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

export function sampleSnapshot(name: string, changes: Partial<SnapshotRecord> = {}): SnapshotRecord {
  return {
    host: 'web1',
    name,
    type: 'full',
    outcome: 'SUCCEEDED',
    path: `/srv/backup/web1/${name}`,
    startedAt: new Date(1_795_000_000_001),
    committedAt: new Date(1_795_000_060_999),
    runId: runId(1),
    linkBases: ['2026-11-20_20-00-05f'],
    sources: ['/etc', '/home/zoë "x" \\ 😀'],
    stats,
    missingFileCount: 4_000_000_000,
    heldFor: [],
    manifest: { entries: 5_000_000_000, files: 4_000_000_000, bytes: 2 ** 52, unreadable: 1 },
    verifiedAt: new Date('2026-11-23T02:30:00.123Z'),
    damagedFileCount: 3,
    ...changes,
  };
}
