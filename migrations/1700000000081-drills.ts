/** What a restore drill found. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumn } from './add-column.js';

export class Drills1700000000081 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addColumn(queryRunner, 'runs', { name: 'drill', type: 'text', isNullable: true });
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('runs', 'drill');
  }
}
