/** Which runs the schedule asked for. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumn } from './add-column.js';

export class ScheduledRuns1700000000022 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addColumn(queryRunner, 'runs', { name: 'is_scheduled', type: 'integer', default: 0 });
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('runs', 'is_scheduled');
  }
}
