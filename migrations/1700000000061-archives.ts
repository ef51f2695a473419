/** The archives, what runs that archive have done, and when a mail told that archiving fails. */
import type { MigrationInterface, QueryRunner, TableOptions } from 'typeorm';
import { addColumn } from './add-column.js';
import { createTable } from './create-table.js';

export class Archives1700000000061 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await createTable(queryRunner, archives);
    await addColumn(queryRunner, 'runs', { name: 'archiving', type: 'text', isNullable: true });
    await addColumn(queryRunner, 'alert_states', {
      name: 'archive_told_at',
      type: 'bigint',
      isNullable: true,
    });
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('alert_states', 'archive_told_at');
    await queryRunner.dropColumn('runs', 'archiving');
    await queryRunner.dropTable('archives');
  }
}

const archives: TableOptions = {
  name: 'archives',
  columns: [
    { name: 'host', type: 'varchar', length: '255', isPrimary: true },
    { name: 'name', type: 'varchar', length: '64', isPrimary: true },
    { name: 'format', type: 'varchar', length: '16' },
    { name: 'path', type: 'text' },
    { name: 'bytes', type: 'bigint' },
    { name: 'sha256', type: 'varchar', length: '64' },
    { name: 'archived_at', type: 'bigint' },
    { name: 'run_id', type: 'varchar', length: '26' },
    { name: 'snapshot', type: 'text' },
    { name: 'manifest_root', type: 'varchar', length: '16' },
    { name: 'manifest', type: 'text', isNullable: true },
    { name: 'verified_at', type: 'bigint', isNullable: true },
    { name: 'damage', type: 'text' },
    { name: 'copy_path', type: 'text' },
  ],
};
