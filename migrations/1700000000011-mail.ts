/** Mails that wait to be sent, what was told of each host, and when the last digest was due. */
import type { MigrationInterface, QueryRunner, TableOptions } from 'typeorm';
import { createTable } from './create-table.js';

export class Mail1700000000011 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of [outbox, alertStates, mailMarks]) await createTable(queryRunner, table);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const { name } of [mailMarks, alertStates, outbox]) await queryRunner.dropTable(name);
  }
}

const outbox: TableOptions = {
  name: 'outbox',
  columns: [
    { name: 'id', type: 'varchar', length: '26', isPrimary: true },
    { name: 'recipient', type: 'varchar', length: '255' },
    { name: 'subject', type: 'varchar', length: '255' },
    { name: 'text', type: 'text' },
    { name: 'created_at', type: 'bigint' },
    { name: 'attempts', type: 'integer' },
    { name: 'next_attempt_at', type: 'bigint' },
  ],
  indices: [{ name: 'outbox_next_attempt_at', columnNames: ['next_attempt_at'] }],
};

const alertStates: TableOptions = {
  name: 'alert_states',
  columns: [
    { name: 'host', type: 'varchar', length: '255', isPrimary: true },
    { name: 'watched_since', type: 'bigint' },
    { name: 'failing_since', type: 'bigint', isNullable: true },
    { name: 'failure_count', type: 'integer' },
    { name: 'last_failure_at', type: 'bigint', isNullable: true },
    { name: 'failure_told_at', type: 'bigint', isNullable: true },
    { name: 'untold_run_id', type: 'varchar', length: '26', isNullable: true },
    { name: 'overdue_told_at', type: 'bigint', isNullable: true },
    { name: 'revision', type: 'bigint' },
  ],
};

const mailMarks: TableOptions = {
  name: 'mail_marks',
  columns: [
    { name: 'name', type: 'varchar', length: '16', isPrimary: true },
    { name: 'at', type: 'bigint' },
  ],
};
