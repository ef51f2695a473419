/** Looks at how the tables of an open database fit this version, and at the clock of its server. */
import { migrations } from '../../migrations/index.js';
import type { DatabaseAddress } from '../core/database-address.js';
import type { Clock } from '../core/ports.js';
import type { TablesLook } from '../core/server-findings.js';
import type { Database } from './data-source.js';

/** Throws as the database does. */
export function lookAtTables(
  database: Pick<Database, 'run'>,
  kind: DatabaseAddress['kind'],
  clock: Clock,
): Promise<TablesLook> {
  return database.run(async (manager) => {
    const rows: { name: string }[] = await manager.query('SELECT name FROM migrations');
    const made = new Set(rows.map(({ name }) => name));
    const known = new Set(migrations.map(({ name }) => name));
    return {
      pending: [...known].filter((name) => !made.has(name)),
      unknown: [...made].filter((name) => !known.has(name)),
      clockAheadMs: kind === 'sqlite' ? null : await clockAhead(manager, clock),
    };
  });
}

/** As if it was read in the middle of the question. */
async function clockAhead(manager: { query(text: string): Promise<unknown> }, clock: Clock): Promise<number> {
  const before = clock.now().getTime();
  const [row] = (await manager.query('SELECT ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) AS ms')) as {
    ms: unknown;
  }[];
  const after = clock.now().getTime();
  return Number(row?.ms) - (before + after) / 2;
}
