/** Columns for tables that are there already, for SQLite, MySQL and MariaDB from one description. */
import { TableColumn, type QueryRunner, type TableColumnOptions } from 'typeorm';

/**
 * Adds a column that may be null or has a default. MySQL cannot undo it when a later step fails, so one that an
 * earlier attempt has made is left as it is. SQLite adds it in place: what TypeORM does there, a copy of the whole
 * table, takes long where there are many runs.
 */
export async function addColumn(
  queryRunner: QueryRunner,
  table: string,
  options: TableColumnOptions,
): Promise<void> {
  if (queryRunner.connection.options.type !== 'mysql') {
    const rest = options.isNullable === true ? '' : ` NOT NULL DEFAULT ${options.default}`;
    await queryRunner.query(`ALTER TABLE "${table}" ADD COLUMN "${options.name}" ${options.type}${rest}`);
    return;
  }
  if (await queryRunner.hasColumn(table, options.name)) return;
  const isText = options.type === 'text';
  await queryRunner.addColumn(
    table,
    new TableColumn({ ...options, ...(isText && { type: 'longtext', charset: 'utf8mb4' }) }),
  );
}
