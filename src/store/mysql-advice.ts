/** Says why a MySQL database could not be opened, and what to do; never with a password. */
import { formatDatabase, type MysqlAddress } from '../core/database-address.js';
import { codeOf, DatabaseError, messageOf } from './database-errors.js';

/** The error to end the start with. */
export function explainOpening(address: MysqlAddress, error: unknown): DatabaseError {
  const message = `The database ${formatDatabase(address)} cannot be opened: ${messageOf(error)}. ${adviceFor(address, codeOf(error))}`;
  return new DatabaseError(message, { cause: error });
}

function adviceFor({ user, name, socket, host, port }: MysqlAddress, code: string): string {
  const place = socket === '' ? `at ${host}, port ${port}` : `at ${socket}`;
  const grant = `GRANT ALL PRIVILEGES ON \`${name}\`.* TO '${user}'@'THIS_HOST';`;
  switch (code) {
    case 'ER_BAD_DB_ERROR':
      return `Create it as an administrator of the server: CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4; ${grant}`;
    case 'ER_DBACCESS_DENIED_ERROR':
      return `Create it, if it is not there, and give the user its rights: CREATE DATABASE IF NOT EXISTS \`${name}\` CHARACTER SET utf8mb4; ${grant}`;
    case 'ER_ACCESS_DENIED_ERROR':
      return 'Correct the user or the password in the configuration (database, mysql_login, mysql_password or its variable, mysql_password_file), or create the user: CREATE USER.';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'Correct the name of the server in database.';
    case 'ECONNREFUSED':
    case 'ENOENT':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'PROTOCOL_CONNECTION_LOST':
      return `Start the server, or correct database: nothing answers ${place}.`;
    default:
      return 'Check that it is a database of BUSY alone, and that the user has all rights there.';
  }
}
