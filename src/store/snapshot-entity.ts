/** The table `snapshots`: one row a committed snapshot, in the words of `SnapshotRecord`. Its rows are plain objects. */
import { EntitySchema } from 'typeorm';
import type { SnapshotRecord } from '../core/snapshot.js';
import { time, wholeNumber } from './columns.js';

export const SnapshotEntity = new EntitySchema<SnapshotRecord>({
  name: 'snapshot',
  tableName: 'snapshots',
  columns: {
    host: { type: 'varchar', length: 255, primary: true },
    name: { type: 'varchar', length: 64, primary: true },
    type: { type: 'varchar', length: 16 },
    outcome: { type: 'varchar', length: 16 },
    path: { type: 'text' },
    startedAt: { name: 'started_at', type: 'bigint', transformer: time },
    committedAt: { name: 'committed_at', type: 'bigint', transformer: time },
    runId: { name: 'run_id', type: 'varchar', length: 26 },
    linkBases: { name: 'link_bases', type: 'simple-json' },
    sources: { type: 'simple-json' },
    stats: { type: 'simple-json' },
    missingFileCount: { name: 'missing_file_count', type: 'bigint', transformer: wholeNumber },
  },
});
