/** What databases say when something is wrong, told apart by what it means for BUSY. */

/** Thrown when the database cannot do what was asked; `cause` is what it said. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
}

/** The part of what a driver throws that is looked at here. */
interface DriverError {
  readonly code?: unknown;
  /** The connection cannot be used any more. */
  readonly fatal?: unknown;
  readonly message?: unknown;
}

/** The database takes nothing at the moment, whatever it is asked; what was asked is good. */
const awayCodes = new Set([
  // The way to the server.
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'PROTOCOL_CONNECTION_LOST',
  'POOL_CLOSED',
  // The server itself.
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_QUERY_INTERRUPTED',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_DISK_FULL',
  'ER_RECORD_FILE_FULL',
]);
/** The same of SQLite: a full or a broken disk, or another program that holds the file. */
const awayInSqlite = /^SQLITE_(?:FULL|BUSY|IOERR|READONLY|CANTOPEN|PROTOCOL)/;
const passingCodes = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT']);

/** Whether nothing can be read or written until someone or something mends the database. */
export function isAway(error: unknown): boolean {
  const { code, fatal, message } = driverErrorOf(error);
  const text = typeof code === 'string' ? code : '';
  return fatal === true || awayCodes.has(text) || awayInSqlite.test(text) || message === 'Pool is closed.';
}

/** Whether a file of SQLite could not grow, or the memory that it shares with its log. */
export function isForWantOfRoom(error: unknown): boolean {
  return /^SQLITE_(?:FULL|IOERR_(?:WRITE|SHM))/.test(codeOf(error));
}

/** Whether the same work may well succeed when it is done again at once. */
export function isPassing(error: unknown): boolean {
  const { code } = driverErrorOf(error);
  return typeof code === 'string' && passingCodes.has(code);
}

/** The code that the driver gave, or ''. */
export function codeOf(error: unknown): string {
  const { code } = driverErrorOf(error);
  return typeof code === 'string' ? code : '';
}

/** What was said; where several addresses of a name were tried, Node gives only a code. */
export function messageOf(error: unknown): string {
  const { message } = driverErrorOf(error);
  const text = typeof message === 'string' ? message : String(error);
  return (text || codeOf(error) || 'no reason was given').replace(/\.$/, '');
}

/** TypeORM wraps what the driver threw. */
function driverErrorOf(error: unknown): DriverError {
  if (typeof error !== 'object' || error === null) return {};
  const wrapped = (error as { readonly driverError?: unknown }).driverError;
  return typeof wrapped === 'object' && wrapped !== null ? wrapped : error;
}
