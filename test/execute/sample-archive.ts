import type { ArchiveRecord } from '../../src/core/archive.js';
import { sampleSnapshot } from '../store/samples.js';

/** The archive of a snapshot, with everything that one can have but a copy. */
export function sampleArchive(path: string): ArchiveRecord {
  const name = '2026-11-22_20-00-05f';
  return {
    host: 'web-1',
    name,
    format: 'tar.gz',
    path,
    bytes: 3,
    sha256: 'ab',
    archivedAt: new Date('2026-12-24T01:00:00.250Z'),
    runId: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    snapshot: { ...sampleSnapshot(name), host: 'web-1' },
    manifestRoot: 'data',
    manifest: { entries: 3, files: 2, bytes: 1, unreadable: 0 },
    verifiedAt: new Date('2026-12-24T01:00:00.500Z'),
    damage: '',
    copyPath: '',
  };
}
