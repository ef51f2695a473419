/** All tables and the migrations that make them; the same for every database. */
import type { DataSource } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { DatabaseError } from './database-errors.js';
import { ArchiveEntity } from './archive-entity.js';
import { HostEntity, TrashedHostEntity } from './host-entity.js';
import { AlertStateEntity, MailMarkEntity, OutboxEntity } from './mail-entities.js';
import { RunEntity } from './run-entity.js';
import { SnapshotEntity } from './snapshot-entity.js';
import { TokenEntity } from './token-entity.js';

/** Options of a data source of either kind. */
export const tables = {
  entities: [
    RunEntity,
    SnapshotEntity,
    ArchiveEntity,
    OutboxEntity,
    AlertStateEntity,
    MailMarkEntity,
    HostEntity,
    TrashedHostEntity,
    TokenEntity,
  ],
  migrations: [...migrations],
  // With 'none' a table of SQLite that is rebuilt would take the rows of its children with it.
  migrationsTransactionMode: 'each' as const,
};

/**
 * Brings the tables of an open data source up to date. Throws a DatabaseError when a newer BUSY has changed them, and
 * then changes nothing.
 */
export async function migrate(source: DataSource, shown: string): Promise<void> {
  await refuseNewerDatabase(source, shown);
  await source.runMigrations();
}

/** An older daemon would not know what the columns of a newer one mean. */
async function refuseNewerDatabase(source: DataSource, shown: string): Promise<void> {
  const known = new Set(migrations.map((migration) => migration.name));
  const rows = await migrationsOf(source);
  const unknown = rows.find((row) => !known.has(row.name));
  if (!unknown) return;
  throw new DatabaseError(
    `The database ${shown} was changed by a newer BUSY (${unknown.name}). ` +
      'Install that version again, or take another database: snapshots on disk are not touched by that.',
  );
}

/** Those that were run; none in a database that is new. */
async function migrationsOf(source: DataSource): Promise<readonly { readonly name: string }[]> {
  const runner = source.createQueryRunner();
  try {
    return (await runner.hasTable('migrations')) ? await runner.query('SELECT name FROM migrations') : [];
  } finally {
    await runner.release();
  }
}
