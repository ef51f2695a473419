/** The first tables: runs and snapshots. */
import type { MigrationInterface, QueryRunner, TableOptions } from 'typeorm';
import { createTable } from './create-table.js';

export class RunsAndSnapshots1700000000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await createTable(queryRunner, runs);
    await createTable(queryRunner, snapshots);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('snapshots');
    await queryRunner.dropTable('runs');
  }
}

const runs: TableOptions = {
  name: 'runs',
  columns: [
    { name: 'id', type: 'varchar', length: '26', isPrimary: true },
    { name: 'kind', type: 'varchar', length: '16' },
    { name: 'host', type: 'varchar', length: '255' },
    { name: 'state', type: 'varchar', length: '16' },
    { name: 'requested_type', type: 'varchar', length: '16' },
    { name: 'type', type: 'varchar', length: '16', isNullable: true },
    { name: 'type_reason', type: 'text' },
    { name: 'created_at', type: 'bigint' },
    { name: 'started_at', type: 'bigint', isNullable: true },
    { name: 'ended_at', type: 'bigint', isNullable: true },
    { name: 'snapshot', type: 'varchar', length: '64', isNullable: true },
    { name: 'error', type: 'text', isNullable: true },
    { name: 'jobs', type: 'text' },
    { name: 'request_id', type: 'varchar', length: '64', isNullable: true },
    { name: 'revision', type: 'bigint' },
  ],
  uniques: [{ name: 'runs_request_id', columnNames: ['request_id'] }],
  indices: [
    { name: 'runs_revision', columnNames: ['revision'] },
    { name: 'runs_host_id', columnNames: ['host', 'id'] },
    { name: 'runs_state', columnNames: ['state'] },
  ],
};

const snapshots: TableOptions = {
  name: 'snapshots',
  columns: [
    { name: 'host', type: 'varchar', length: '255', isPrimary: true },
    { name: 'name', type: 'varchar', length: '64', isPrimary: true },
    { name: 'type', type: 'varchar', length: '16' },
    { name: 'outcome', type: 'varchar', length: '16' },
    { name: 'path', type: 'text' },
    { name: 'started_at', type: 'bigint' },
    { name: 'committed_at', type: 'bigint' },
    { name: 'run_id', type: 'varchar', length: '26' },
    { name: 'link_bases', type: 'text' },
    { name: 'sources', type: 'text' },
    { name: 'stats', type: 'text' },
    { name: 'missing_file_count', type: 'bigint' },
  ],
};
