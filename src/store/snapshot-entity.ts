/** The table `snapshots`: one row a committed snapshot, in the words of `SnapshotRecord`. Its rows are plain objects. */
import { EntitySchema, type ValueTransformer } from 'typeorm';
import { noTransfer, type SnapshotRecord, type TransferStats } from '../core/snapshot.js';
import { listOrNone, time, wholeNumber } from './columns.js';

/** Rows of an older BUSY have fewer counts. */
const allCounts: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: Partial<TransferStats>) => ({ ...noTransfer, ...value }),
};

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
    stats: { type: 'simple-json', transformer: allCounts },
    heldFor: { name: 'held_for', type: 'simple-json', nullable: true, transformer: listOrNone },
    missingFileCount: { name: 'missing_file_count', type: 'bigint', transformer: wholeNumber },
    manifest: { type: 'simple-json', nullable: true },
    verifiedAt: { name: 'verified_at', type: 'bigint', nullable: true, transformer: time },
    damagedFileCount: { name: 'damaged_file_count', type: 'bigint', default: 0, transformer: wholeNumber },
  },
});
