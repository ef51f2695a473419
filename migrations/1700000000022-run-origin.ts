/** Who asked for a run: someone, or the schedule. */
import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';

export class RunOrigin1700000000022 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Left by an attempt that broke off where a table cannot be changed in a transaction.
    if (await queryRunner.hasColumn('runs', 'origin')) return;
    await queryRunner.addColumn('runs', new TableColumn(origin));
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('runs', 'origin');
  }
}

const origin = { name: 'origin', type: 'varchar', length: '16', default: "'request'" };
