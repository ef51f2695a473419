/** Columns for tables that are there already, for SQLite, MySQL and MariaDB from one description. */
import { TableColumn, type QueryRunner, type TableColumnOptions } from 'typeorm';
import { bytewise } from './create-table.js';

/** What may be null, or has a default for the rows that are there. */
export type NewColumn = Pick<TableColumnOptions, 'name' | 'isNullable' | 'default'> & {
  readonly type: 'text' | 'integer' | 'bigint';
};

/**
 * Adds a column. MySQL cannot undo it when a later step fails, so one that an earlier attempt has made is left as it
 * is. SQLite adds it in place: what TypeORM does there, a copy of the whole table, takes long with many runs.
 */
export async function addColumn(queryRunner: QueryRunner, table: string, column: NewColumn): Promise<void> {
  if (queryRunner.connection.options.type !== 'mysql') {
    const rest = column.isNullable === true ? '' : ` NOT NULL DEFAULT (${column.default})`;
    await queryRunner.query(`ALTER TABLE "${table}" ADD COLUMN "${column.name}" ${column.type}${rest}`);
    return;
  }
  if (await queryRunner.hasColumn(table, column.name)) return;
  const text = column.type === 'text' ? { ...(await bytewise(queryRunner)), type: 'longtext' } : {};
  await queryRunner.addColumn(table, new TableColumn({ ...column, ...text }));
}
