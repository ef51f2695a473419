/**
 * The database, of either kind, behind one small interface. It tells what is wrong with a request from a database
 * that is away: of the latter every caller learns as DATABASE_UNAVAILABLE, and whoever watches it is told.
 */
import type { EntityManager } from 'typeorm';
import { formatDatabase, type DatabaseAddress } from '../core/database-address.js';
import { BusyError } from '../core/errors.js';
import type { DatabaseConnection } from './database-connection.js';
import { DatabaseError, isAway, isForWantOfRoom, messageOf } from './database-errors.js';
import { openMysql } from './mysql.js';
import { openSqlite } from './sqlite.js';

export interface Database extends DatabaseConnection {
  /**
   * As above, and each piece of work is done whole or not at all when it is one statement or one transaction.
   * Throws DATABASE_UNAVAILABLE, soon, when the database is away; what was asked may have been done nevertheless.
   * Throws a DatabaseError whose cause is what the database said when it refuses.
   */
  run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T>;
  /** Asks whether the database answers. Throws as `run` does. */
  ping(): Promise<void>;
}

/** Is told after each access: null, or the DATABASE_UNAVAILABLE that it ended with. */
export type DatabaseObserver = (away: BusyError | null) => void;

/** Makes room on the disk of the state directory; answers whether it did. */
export type MakeRoom = () => boolean;

/**
 * Opens a database and brings its tables up to date; a file of SQLite is created when it is missing. Throws a
 * DatabaseError with a sentence for the administrator; it is then closed.
 */
export async function openDatabase(
  address: DatabaseAddress,
  observe: DatabaseObserver = () => {},
  makeRoom: MakeRoom = () => false,
): Promise<Database> {
  const connection = address.kind === 'sqlite' ? await openSqlite(address) : await openMysql(address);
  const shown = address.kind === 'sqlite' ? address.path : formatDatabase(address);
  const run: Database['run'] = async (work) => {
    try {
      const answer = await withRoom(() => connection.run(work), makeRoom);
      observe(null);
      return answer;
    } catch (error) {
      throw toldApart(error, shown, observe);
    }
  };
  return {
    run,
    ping: () => run(async (manager) => void (await manager.query('SELECT 1'))),
    close: () => connection.close(),
  };
}

/** Work that found no room on its disk was not done, so it can be done when there is some. */
async function withRoom<T>(work: () => Promise<T>, makeRoom: MakeRoom): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isForWantOfRoom(error) || !makeRoom()) throw error;
    }
  }
}

function toldApart(error: unknown, shown: string, observe: DatabaseObserver): unknown {
  if (error instanceof DatabaseError) return error;
  if (!isAway(error)) {
    // It answered, so it is there.
    observe(null);
    const message = `The database ${shown} refused a request: ${messageOf(error)}.`;
    return new DatabaseError(message, { cause: error });
  }
  const facts = { database: shown, detail: messageOf(error) };
  const away = new BusyError('DATABASE_UNAVAILABLE', facts, { cause: error });
  observe(away);
  return away;
}
