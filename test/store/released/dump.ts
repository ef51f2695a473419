/** A database of SQLite as SQL text: its tables and indices, then its rows. */
import type { DataSource } from 'typeorm';

export type Row = Readonly<Record<string, unknown>>;

export async function dumpOf(source: DataSource): Promise<string> {
  const schema = await schemaOf(source);
  const rows = Object.entries(await rowsOf(source)).flatMap(([table, all]) =>
    all.map((row) => insertOf(table, row)),
  );
  return [...schema, ...rows].map((statement) => `${statement};\n`).join('');
}

/** What makes the tables and indices, in the order in which they were made. */
export async function schemaOf(source: DataSource): Promise<string[]> {
  const objects: { sql: string }[] = await source.query(
    "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
  );
  return objects.map(({ sql }) => sql);
}

/** The rows of each table. */
export async function rowsOf(source: DataSource): Promise<Record<string, Row[]>> {
  const tables: { name: string }[] = await source.query(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
  );
  const found: Record<string, Row[]> = {};
  for (const { name } of tables) found[name] = await source.query(`SELECT * FROM "${name}"`);
  return found;
}

/** The statements of such a text. */
export function statementsOf(dump: string): string[] {
  return dump
    .trimEnd()
    .split(/;\n(?=CREATE |INSERT )|;$/)
    .filter(Boolean);
}

function insertOf(table: string, row: Row): string {
  const columns = Object.keys(row).map((name) => `"${name}"`);
  return `INSERT INTO "${table}" (${columns.join(', ')}) VALUES (${Object.values(row).map(literal).join(', ')})`;
}

function literal(value: unknown): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  throw new Error(`a value of another kind: ${typeof value}`);
}
