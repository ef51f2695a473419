/** The tokens of callers. Of each only a hash of its secret is kept. */
import type { MigrationInterface, QueryRunner, TableOptions } from 'typeorm';
import { createTable } from './create-table.js';

export class Tokens1700000000091 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await createTable(queryRunner, tokens);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('tokens');
  }
}

const tokens: TableOptions = {
  name: 'tokens',
  columns: [
    { name: 'id', type: 'varchar', length: '12', isPrimary: true },
    { name: 'name', type: 'varchar', length: '100' },
    { name: 'role', type: 'varchar', length: '16' },
    { name: 'hosts', type: 'text', isNullable: true },
    { name: 'hash', type: 'varchar', length: '64' },
    { name: 'created_by', type: 'varchar', length: '100' },
    { name: 'created_at', type: 'bigint' },
    { name: 'expires_at', type: 'bigint', isNullable: true },
  ],
  indices: [{ name: 'tokens_name', columnNames: ['name'], isUnique: true }],
};
