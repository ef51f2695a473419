/** Tables for SQLite, MySQL and MariaDB from one description. */
import { Table, type QueryRunner, type TableColumnOptions, type TableOptions } from 'typeorm';
import { faultPoint } from '../src/fault-points.js';

/**
 * Makes a table. On MySQL its texts are utf8mb4 and compared byte by byte, whatever the database's own choice is, so
 * that names that differ in case, accents or a blank at the end stay different; a `text` has room for 4 GiB there.
 * MySQL cannot undo a table when a later step fails, so one that an earlier attempt has made is left as it is. Throws
 * when the table of something else has the name.
 */
export async function createTable(queryRunner: QueryRunner, options: TableOptions): Promise<void> {
  const isMysql = queryRunner.connection.options.type === 'mysql';
  const before = isMysql ? await queryRunner.getTable(options.name) : undefined;
  if (before) return refuseForeign(before, options);
  const table = isMysql ? await forMysql(queryRunner, options) : options;
  await queryRunner.createTable(new Table(table));
  faultPoint('table is made');
}

function refuseForeign(table: Table, { name, columns = [] }: TableOptions): void {
  const found = new Set(table.columns.map((column) => column.name));
  // Later migrations may have added some.
  if (columns.every((column) => found.has(column.name))) return;
  throw new Error(`it holds a table "${name}" that is not of BUSY; BUSY needs a database of its own`);
}

/** How texts are kept on MySQL. */
export async function bytewise(queryRunner: QueryRunner): Promise<{ charset: string; collation: string }> {
  const [{ version }] = (await queryRunner.query('SELECT VERSION() AS version')) as [{ version: string }];
  // Both compare bytes and do not take blanks at the end for nothing, as utf8mb4_bin does.
  const collation = /mariadb/i.test(version) ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
  return { charset: 'utf8mb4', collation };
}

async function forMysql(queryRunner: QueryRunner, options: TableOptions): Promise<TableOptions> {
  const asText = await bytewise(queryRunner);
  const columns = options.columns?.map((column): TableColumnOptions => {
    if (column.type === 'text') return { ...column, ...asText, type: 'longtext' };
    return column.type === 'varchar' ? { ...column, ...asText } : column;
  });
  return { ...options, ...(columns && { columns }), engine: 'InnoDB' };
}
