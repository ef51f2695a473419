/** Hosts that are kept here instead of in the configuration file. */
import type { MigrationInterface, QueryRunner, TableOptions } from 'typeorm';
import { createTable } from './create-table.js';

export class Hosts1700000000021 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await createTable(queryRunner, hosts);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('hosts');
  }
}

const hosts: TableOptions = {
  name: 'hosts',
  columns: [
    { name: 'name', type: 'varchar', length: '100', isPrimary: true },
    { name: 'settings', type: 'text' },
    { name: 'etag', type: 'varchar', length: '26' },
    { name: 'created_at', type: 'bigint' },
    { name: 'updated_at', type: 'bigint' },
  ],
};
