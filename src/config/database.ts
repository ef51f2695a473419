/** The database as several settings name it together: `database`, `mysql_login`, `mysql_password`, `mysql_password_file`. */
import { join } from 'node:path';
import type { DatabaseAddress, MysqlAddress } from '../core/database-address.js';
import { readDatabase } from './addresses.js';
import type { Finding } from './problems.js';
import type { FileSettings } from './schema.js';

type LoginSetting = 'mysql_login' | 'mysql_password' | 'mysql_password_file';

const loginSettings: readonly LoginSetting[] = ['mysql_login', 'mysql_password', 'mysql_password_file'];
const leaveOut = 'leave the line out';

/** What the original BUSY used: a database of this name, on this machine. */
const originalDatabase: MysqlAddress = {
  kind: 'mysql',
  host: 'localhost',
  port: 3306,
  socket: '',
  user: '',
  password: '',
  passwordVariable: '',
  passwordFile: '',
  name: 'busy',
};

/** The database in effect; of settings that `checkDatabase` found nothing wrong with. */
export function resolveDatabase(settings: FileSettings, stateDir: string): DatabaseAddress {
  const { mysql_login: login } = settings;
  const named = settings.database ?? (login === undefined ? undefined : originalDatabase);
  if (named === undefined) return { kind: 'sqlite', path: join(stateDir, 'busy.db') };
  if (named.kind === 'sqlite') return named;
  const password = named.password || (settings.mysql_password ?? '');
  const variable = variableIn(password);
  return {
    ...named,
    user: named.user || (login ?? ''),
    password: variable === '' ? password : '',
    passwordVariable: variable,
    passwordFile: settings.mysql_password_file ?? '',
  };
}

/** The name in `${NAME}`, which stands for what the environment of busyd has there; empty for any other text. */
function variableIn(password: string): string {
  return /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(password)?.[1] ?? '';
}

/**
 * What these settings say twice, or in vain. Looks at the file as it was written, so that this is found together with
 * all other problems. Never repeats a value: each may be or hold the password.
 */
export function checkDatabase(data: unknown): Finding[] {
  const file = { ...(data as Readonly<Record<string, unknown>> | null) };
  const given = loginSettings.filter((key) => file[key] !== undefined);
  const reading = typeof file.database === 'string' ? readDatabase(file.database) : undefined;
  if (reading && 'wrong' in reading) return [];
  const named = reading?.value ?? (given.includes('mysql_login') ? originalDatabase : undefined);
  if (named?.kind === 'mysql') return checkLogin(given, named, reading !== undefined);
  const wrong =
    named === undefined ? 'has no effect without mysql_login' : 'has no effect with the database in database';
  return given.map((key) => ({ path: [key], wrong, allowed: leaveOut }));
}

function checkLogin(given: readonly LoginSetting[], named: MysqlAddress, isNamed: boolean): Finding[] {
  const findings: Finding[] = [];
  const isGiven = (key: LoginSetting): boolean => given.includes(key);
  if (isNamed && named.user !== '' && isGiven('mysql_login'))
    findings.push({ path: ['mysql_login'], wrong: 'names a second user beside database', allowed: leaveOut });
  if (named.user === '' && !isGiven('mysql_login'))
    findings.push({
      path: ['database'],
      wrong: 'names no user',
      allowed: 'mysql://USER@HOST/NAME, or the user in mysql_login',
    });
  const passwords = (['mysql_password', 'mysql_password_file'] as const).filter(isGiven);
  const isSecond = (_: LoginSetting, index: number): boolean => named.password !== '' || index > 0;
  for (const key of passwords.filter(isSecond))
    findings.push({ path: [key], wrong: 'gives a second password', allowed: leaveOut });
  return findings;
}
