/** What restores are to do, and what they did. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumn } from './add-column.js';

export class Restores1700000000071 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addColumn(queryRunner, 'runs', { name: 'restore', type: 'text', isNullable: true });
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('runs', 'restore');
  }
}
