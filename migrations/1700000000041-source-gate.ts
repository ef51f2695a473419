/** The source gate: snapshots that are held, runs that may take any change, and whether a mail told of a held one. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumn } from './add-column.js';

export class SourceGate1700000000041 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addColumn(queryRunner, 'snapshots', { name: 'held_for', type: 'text', isNullable: true });
    await addColumn(queryRunner, 'runs', { name: 'accepts_changes', type: 'integer', default: 0 });
    await addColumn(queryRunner, 'alert_states', { name: 'held_told_at', type: 'bigint', isNullable: true });
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('alert_states', 'held_told_at');
    await queryRunner.dropColumn('runs', 'accepts_changes');
    await queryRunner.dropColumn('snapshots', 'held_for');
  }
}
