/**
 * One SQLite file. A connection of SQLite cannot hold two transactions at a time, and there is one connection, so
 * every access takes its turn through one mutex. Nothing else opens the file.
 */
import { Mutex } from 'async-mutex';
import { DataSource } from 'typeorm';
import type { SqliteAddress } from '../core/database-address.js';
import type { DatabaseConnection } from './database-connection.js';
import { DatabaseError, messageOf } from './database-errors.js';
import { migrate, tables } from './tables.js';

/**
 * Opens a file, creates it when it is missing, and brings its tables up to date. Throws a DatabaseError; the file is
 * then closed and no change of a failed migration remains.
 */
export async function openSqlite(address: SqliteAddress): Promise<DatabaseConnection> {
  const { path } = address;
  const source = new DataSource({
    ...tables,
    type: 'better-sqlite3',
    database: path,
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
    await migrate(source, path);
  } catch (error) {
    if (source.isInitialized) await source.destroy();
    throw error instanceof DatabaseError ? error : cannotOpen(path, error);
  }
  const turns = new Mutex();
  return {
    run: (work) =>
      turns.runExclusive(() => {
        if (!source.isInitialized) throw new DatabaseError(`The database ${path} is closed.`);
        return work(source.manager);
      }),
    close: () =>
      turns.runExclusive(async () => {
        if (source.isInitialized) await source.destroy();
      }),
  };
}

function cannotOpen(file: string, error: unknown): DatabaseError {
  const advice = 'Check that it is a database of BUSY and that the daemon may write to it and its directory';
  return new DatabaseError(`The database ${file} cannot be opened: ${messageOf(error)}. ${advice}.`, {
    cause: error,
  });
}
