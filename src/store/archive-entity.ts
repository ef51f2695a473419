/** The table `archives`: one row an archive, in the words of `ArchiveRecord`. Its rows are plain objects. */
import { EntitySchema, type ValueTransformer } from 'typeorm';
import type { ArchiveRecord } from '../core/archive.js';
import { reviveSnapshot } from '../core/snapshot.js';
import { time, wholeNumber } from './columns.js';

/** JSON knows no times. */
const snapshotAsItWas: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: Parameters<typeof reviveSnapshot>[0]) => reviveSnapshot(value),
};

export const ArchiveEntity = new EntitySchema<ArchiveRecord>({
  name: 'archive',
  tableName: 'archives',
  columns: {
    host: { type: 'varchar', length: 255, primary: true },
    name: { type: 'varchar', length: 64, primary: true },
    format: { type: 'varchar', length: 16 },
    path: { type: 'text' },
    bytes: { type: 'bigint', transformer: wholeNumber },
    sha256: { type: 'varchar', length: 64 },
    archivedAt: { name: 'archived_at', type: 'bigint', transformer: time },
    runId: { name: 'run_id', type: 'varchar', length: 26 },
    snapshot: { type: 'simple-json', transformer: snapshotAsItWas },
    manifestRoot: { name: 'manifest_root', type: 'varchar', length: 16 },
    manifest: { type: 'simple-json', nullable: true },
    verifiedAt: { name: 'verified_at', type: 'bigint', nullable: true, transformer: time },
    damage: { type: 'text' },
    copyPath: { name: 'copy_path', type: 'text' },
  },
});
