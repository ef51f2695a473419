/** Daemons that share the database, the hosts that each of them holds, and whose each run is. */
import { TableColumn, type MigrationInterface, type QueryRunner, type TableOptions } from 'typeorm';
import { createTable } from './create-table.js';

export class Leases1700000000051 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of [databaseIdentity, daemonLeases, hostLeases]) await createTable(queryRunner, table);
    if (!(await queryRunner.hasColumn('runs', 'lease')))
      await queryRunner.addColumn(
        'runs',
        new TableColumn({ name: 'lease', type: 'integer', isNullable: true }),
      );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('runs', 'lease');
    for (const { name } of [hostLeases, daemonLeases, databaseIdentity]) await queryRunner.dropTable(name);
  }
}

/** One row, made by the first daemon that needs it. */
const databaseIdentity: TableOptions = {
  name: 'database_identity',
  columns: [
    { name: 'one', type: 'integer', isPrimary: true },
    { name: 'id', type: 'varchar', length: '36' },
  ],
};

const daemonLeases: TableOptions = {
  name: 'daemon_leases',
  columns: [
    // Never given twice: what names it must not be taken for that of a later daemon.
    {
      name: 'lease',
      type: 'integer',
      isPrimary: true,
      isGenerated: true,
      generationStrategy: 'increment',
    },
    { name: 'home', type: 'varchar', length: '36' },
    { name: 'hostname', type: 'varchar', length: '255' },
    { name: 'pid', type: 'integer' },
    { name: 'started_at', type: 'bigint' },
    // By the clock of the database.
    { name: 'ends_at', type: 'bigint' },
  ],
};

const hostLeases: TableOptions = {
  name: 'host_leases',
  columns: [
    { name: 'host', type: 'varchar', length: '255', isPrimary: true },
    { name: 'lease', type: 'integer' },
  ],
  indices: [{ name: 'host_leases_lease', columnNames: ['lease'] }],
};
