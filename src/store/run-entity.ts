/** The table `runs`: one row a run, in the words of `RunRecord`. Its rows are plain objects. */
import { EntitySchema } from 'typeorm';
import type { RunRecord } from '../core/run.js';
import { time, wholeNumber, yesNo } from './columns.js';

/** `lease`: that of the daemon whose run it is; null where the database is not shared. */
export type RunRow = RunRecord & { readonly lease: number | null };

export const RunEntity = new EntitySchema<RunRow>({
  name: 'run',
  tableName: 'runs',
  columns: {
    id: { type: 'varchar', length: 26, primary: true },
    kind: { type: 'varchar', length: 16 },
    host: { type: 'varchar', length: 255 },
    state: { type: 'varchar', length: 16 },
    requestedType: { name: 'requested_type', type: 'varchar', length: 16 },
    type: { type: 'varchar', length: 16, nullable: true },
    typeReason: { name: 'type_reason', type: 'text' },
    createdAt: { name: 'created_at', type: 'bigint', transformer: time },
    startedAt: { name: 'started_at', type: 'bigint', nullable: true, transformer: time },
    endedAt: { name: 'ended_at', type: 'bigint', nullable: true, transformer: time },
    snapshot: { type: 'varchar', length: 64, nullable: true },
    error: { type: 'simple-json', nullable: true },
    jobs: { type: 'simple-json' },
    verification: { type: 'simple-json', nullable: true },
    archiving: { type: 'simple-json', nullable: true },
    restore: { type: 'simple-json', nullable: true },
    drill: { type: 'simple-json', nullable: true },
    requestId: { name: 'request_id', type: 'varchar', length: 64, nullable: true },
    isScheduled: { name: 'is_scheduled', type: 'integer', default: 0, transformer: yesNo },
    acceptsChanges: { name: 'accepts_changes', type: 'integer', default: 0, transformer: yesNo },
    revision: { type: 'bigint', transformer: wholeNumber },
    // Of no concern to anyone but the store.
    lease: { type: 'integer', nullable: true, select: false },
  },
  uniques: [{ name: 'runs_request_id', columns: ['requestId'] }],
  indices: [
    { name: 'runs_revision', columns: ['revision'] },
    { name: 'runs_host_id', columns: ['host', 'id'] },
    { name: 'runs_state', columns: ['state'] },
  ],
});
