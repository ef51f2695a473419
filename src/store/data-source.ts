/**
 * The database: one SQLite file behind TypeORM. A connection of SQLite cannot hold two transactions at a time, and
 * there is one connection, so every access takes its turn through one mutex. Nothing else opens the file.
 */
import { Mutex } from 'async-mutex';
import { DataSource, type EntityManager } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { AlertStateEntity, MailMarkEntity, OutboxEntity } from './mail-entities.js';
import { RunEntity } from './run-entity.js';
import { SnapshotEntity } from './snapshot-entity.js';

export interface Database {
  /**
   * Does a piece of work when its turn has come; it must await all it starts, and must not call `run` itself.
   * Throws a DatabaseError whose cause is what the database said.
   */
  run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T>;
  /** Waits for the work that was accepted, then closes the file. Closing twice changes nothing. */
  close(): Promise<void>;
}

/**
 * Opens a database file, creates it when it is missing, and brings its tables up to date.
 * Throws a DatabaseError; the file is then closed and no change of a failed migration remains.
 */
export async function openDatabase(file: string): Promise<Database> {
  const source = new DataSource({
    type: 'better-sqlite3',
    database: file,
    entities: [RunEntity, SnapshotEntity, OutboxEntity, AlertStateEntity, MailMarkEntity],
    migrations: [...migrations],
    // With 'none' a table that is rebuilt would take the rows of its children with it.
    migrationsTransactionMode: 'each',
    enableWAL: true,
    timeout: 10_000,
    prepareDatabase: (connection: { pragma(text: string): unknown }) => {
      // With WAL this never harms the file, and no write waits for a busy disk. A power failure may lose the last
      // moments, which the snapshots on disk then correct.
      connection.pragma('synchronous = NORMAL');
    },
  });
  try {
    await source.initialize();
    await source.runMigrations();
    await refuseNewerDatabase(source);
  } catch (error) {
    if (source.isInitialized) await source.destroy();
    throw error instanceof DatabaseError ? error : cannotOpen(file, error);
  }
  return serialise(source, file);
}

function serialise(source: DataSource, file: string): Database {
  const turns = new Mutex();
  return {
    run: (work) =>
      turns.runExclusive(async () => {
        if (!source.isInitialized) throw new DatabaseError(`The database ${file} is closed.`);
        try {
          return await work(source.manager);
        } catch (error) {
          const message = `The database ${file} refused a request: ${messageOf(error)}.`;
          throw new DatabaseError(message, { cause: error });
        }
      }),
    close: () =>
      turns.runExclusive(async () => {
        if (source.isInitialized) await source.destroy();
      }),
  };
}

/** An older daemon would not know what the columns of a newer one mean. */
async function refuseNewerDatabase(source: DataSource): Promise<void> {
  const known = new Set(migrations.map((migration) => migration.name));
  const rows: { name: string }[] = await source.query('SELECT name FROM migrations');
  const unknown = rows.find((row) => !known.has(row.name));
  if (!unknown) return;
  throw new DatabaseError(
    `The database ${String(source.options.database)} was changed by a newer BUSY (${unknown.name}). ` +
      'Install that version again, or move the file away: snapshots on disk are not touched by that.',
  );
}

function cannotOpen(file: string, error: unknown): DatabaseError {
  const advice = 'Check that it is a database of BUSY and that the daemon may write to it and its directory';
  return new DatabaseError(`The database ${file} cannot be opened: ${messageOf(error)}. ${advice}.`, {
    cause: error,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Thrown when the database cannot do what was asked; `cause` is what it said. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
}
