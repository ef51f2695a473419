/** What manifests count, when snapshots were verified, and what a verification found. */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { addColumn } from './add-column.js';

export class Verification1700000000031 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addColumn(queryRunner, 'snapshots', { name: 'manifest', type: 'text', isNullable: true });
    await addColumn(queryRunner, 'snapshots', { name: 'verified_at', type: 'bigint', isNullable: true });
    await addColumn(queryRunner, 'snapshots', { name: 'damaged_file_count', type: 'bigint', default: 0 });
    await addColumn(queryRunner, 'runs', { name: 'verification', type: 'text', isNullable: true });
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('runs', 'verification');
    for (const name of ['damaged_file_count', 'verified_at', 'manifest'])
      await queryRunner.dropColumn('snapshots', name);
  }
}
