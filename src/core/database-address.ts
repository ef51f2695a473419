/** Where the records are kept. */
export type DatabaseAddress = SqliteAddress | MysqlAddress;

export interface SqliteAddress {
  readonly kind: 'sqlite';
  /** Absolute file. */
  readonly path: string;
}

/** A MySQL or MariaDB server, and the database there. */
export interface MysqlAddress {
  readonly kind: 'mysql';
  readonly host: string;
  readonly port: number;
  /** Absolute unix socket, used instead of host and port; empty for TCP. */
  readonly socket: string;
  readonly user: string;
  /** Empty when there is none, or when a file or a variable holds it. Never to be shown. */
  readonly password: string;
  /** The environment variable of busyd that holds the password; empty when there is none. */
  readonly passwordVariable: string;
  /** Absolute file that holds the password; empty when there is none. */
  readonly passwordFile: string;
  /** The name of the database on the server. */
  readonly name: string;
}

/** As the configuration names it, without the password: for messages, logs and lists of settings. */
export function formatDatabase(address: DatabaseAddress): string {
  if (address.kind === 'sqlite') return `sqlite:${address.path}`;
  const { host, port, socket, user, name } = address;
  const place = `${host.includes(':') ? `[${host}]` : host}${port === 3306 ? '' : `:${port}`}`;
  const login = user === '' ? '' : `${encodeURIComponent(user)}@`;
  const option = socket === '' ? '' : `?socket=${encodeURI(socket).replace(/[&#+?]/g, encodeURIComponent)}`;
  return `mysql://${login}${place}/${encodeURIComponent(name)}${option}`;
}
