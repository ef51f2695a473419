/** Hosts that were deleted, until they are gone for good. */
import type { MigrationInterface, QueryRunner, TableOptions } from 'typeorm';
import { createTable } from './create-table.js';

export class TrashedHosts1700000000121 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await createTable(queryRunner, trashedHosts);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('trashed_hosts');
  }
}

const trashedHosts: TableOptions = {
  name: 'trashed_hosts',
  columns: [
    { name: 'id', type: 'varchar', length: '26', isPrimary: true },
    { name: 'put_at', type: 'bigint' },
    { name: 'put_by', type: 'text' },
    { name: 'name', type: 'varchar', length: '100' },
    { name: 'settings', type: 'text' },
    { name: 'etag', type: 'varchar', length: '26' },
    { name: 'created_at', type: 'bigint' },
    { name: 'updated_at', type: 'bigint' },
  ],
};
