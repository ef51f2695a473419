/**
 * A MySQL or MariaDB server, through a pool of connections. Work that takes too long is given up: the server may be
 * frozen or the network gone, and then the pool is left behind with whatever hangs in it, and a new one is made.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { DataSource, type EntityManager } from 'typeorm';
import { formatDatabase, type MysqlAddress } from '../core/database-address.js';
import type { DatabaseConnection } from './database-connection.js';
import { DatabaseError, isPassing } from './database-errors.js';
import { explainOpening } from './mysql-advice.js';
import { migrate, tables } from './tables.js';

const connectLimitMs = 5000;
const workLimitMs = 10_000;
/** While it does not answer, nobody waits so long again. */
const workLimitWhenSilentMs = 3000;
const closeLimitMs = 3000;
const connections = 10;
/** How long another daemon may take to make the tables. */
const migrationLimitSeconds = 60;
/** Two that wait for each other's rows: one is refused, and may try again. */
const attempts = 5;

/** Connects, and brings the tables up to date. Throws a DatabaseError that says what to do. */
export async function openMysql(address: MysqlAddress): Promise<DatabaseConnection> {
  const password = await readPassword(address);
  const connect = (): Promise<DataSource> => connectTo(address, password);
  const source = await connect().catch((error: unknown) => {
    throw explainOpening(address, error);
  });
  try {
    await migrateAlone(source, formatDatabase(address));
  } catch (error) {
    await endSource(source);
    throw error instanceof DatabaseError ? error : explainOpening(address, error);
  }
  return new MysqlConnection(source, connect, formatDatabase(address));
}

class MysqlConnection implements DatabaseConnection {
  private source: Promise<DataSource> | null;
  private isSilent = false;
  private isClosed = false;
  private readonly accepted = new Set<Promise<unknown>>();

  constructor(
    source: DataSource,
    private readonly connect: () => Promise<DataSource>,
    private readonly shown: string,
  ) {
    this.source = Promise.resolve(source);
  }

  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    if (this.isClosed) throw new DatabaseError(`The database ${this.shown} is closed.`);
    const done = this.withinLimit(work);
    this.accepted.add(done);
    try {
      return await done;
    } finally {
      this.accepted.delete(done);
    }
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await Promise.allSettled(this.accepted);
    await this.source?.then(endSource, () => {});
  }

  private async withinLimit<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const limitMs = this.isSilent ? workLimitWhenSilentMs : workLimitMs;
    const source = (this.source ??= this.connect());
    const ended = new AbortController();
    const tooLate = delay(limitMs, undefined, { signal: ended.signal }).then(
      () => {
        throw this.leaveBehind(source, limitMs);
      },
      () => undefined as never,
    );
    try {
      const answer = await Promise.race([this.attempt(source, work), tooLate]);
      this.isSilent = false;
      return answer;
    } finally {
      ended.abort();
    }
  }

  private async attempt<T>(
    source: Promise<DataSource>,
    work: (manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    const { manager } = await this.connected(source);
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(manager);
      } catch (error) {
        if (attempt === attempts || !isPassing(error)) throw error;
      }
    }
  }

  private async connected(source: Promise<DataSource>): Promise<DataSource> {
    try {
      return await source;
    } catch (error) {
      // The next piece of work tries to connect anew.
      if (this.source === source) this.source = null;
      throw error;
    }
  }

  private leaveBehind(source: Promise<DataSource>, limitMs: number): Error {
    this.isSilent = true;
    if (this.source === source) {
      this.source = null;
      void source.then(endSource, () => {});
    }
    const message = `it did not answer within ${limitMs / 1000} seconds`;
    return Object.assign(new Error(message), { code: 'ETIMEDOUT' });
  }
}

/** Of daemons that start at the same time one makes the tables, and the others find them made. */
async function migrateAlone(source: DataSource, shown: string): Promise<void> {
  const guard = source.createQueryRunner();
  // Names of such locks are those of the whole server, and short.
  const name = "CONCAT('busy tables ', SHA1(DATABASE()))";
  try {
    await guard.query(`SELECT GET_LOCK(${name}, ${migrationLimitSeconds})`);
    await migrate(source, shown);
    await guard.query(`SELECT RELEASE_LOCK(${name})`);
  } finally {
    await guard.release();
  }
}

async function connectTo(address: MysqlAddress, password: string): Promise<DataSource> {
  const { host, port, socket, user, name } = address;
  const source = new DataSource({
    ...tables,
    type: 'mysql',
    ...(socket === '' ? { host, port } : { socketPath: socket }),
    username: user,
    password,
    database: name,
    charset: 'UTF8MB4_UNICODE_CI',
    timezone: 'Z',
    connectTimeout: connectLimitMs,
    poolSize: connections,
    // Numbers above 2^53 would lose their last digits on the way.
    supportBigNumbers: true,
    bigNumberStrings: true,
    // The server must not be able to ask for files of this machine.
    extra: { flags: ['-LOCAL_FILES'] },
  });
  await source.initialize();
  const { pool } = source.driver as unknown as { readonly pool: MysqlPool };
  pool.on('connection', (connection) => {
    for (const statement of sessionSettings) connection.query(statement, () => {});
  });
  // The one that is there already.
  for (const statement of sessionSettings) await source.query(statement);
  return source;
}

/** The part of mysql2's pool that is needed here. */
interface MysqlPool {
  on(event: 'connection', take: (connection: MysqlPoolConnection) => void): void;
}

interface MysqlPoolConnection {
  query(statement: string, done: () => void): void;
}

/**
 * Whatever the server's own settings are: what does not fit is refused, not cut, a backslash escapes, as the driver
 * takes it for granted, and parallel writers lock rows, not the gaps between them.
 */
const sessionSettings = [
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
];

async function readPassword({ password, passwordFile }: MysqlAddress): Promise<string> {
  if (passwordFile === '') return password;
  try {
    return (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    const { message } = error as Error;
    throw new DatabaseError(`The password of the database cannot be read from ${passwordFile}: ${message}.`, {
      cause: error,
    });
  }
}

/** Connections in which something hangs are not waited for. */
async function endSource(source: DataSource): Promise<void> {
  const limit = new AbortController();
  const tooLate = delay(closeLimitMs, undefined, { signal: limit.signal }).catch(() => {});
  const ended = source.isInitialized ? source.destroy().catch(() => {}) : Promise.resolve();
  await Promise.race([ended, tooLate]);
  limit.abort();
}
