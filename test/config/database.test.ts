import { describe, expect, it } from 'vitest';
import { describeConfig } from '../../src/config/describe.js';
import type { DatabaseAddress } from '../../src/core/database-address.js';
import { convertConfig } from '../../src/config/convert.js';
import { errorOf, parsed } from './parsed.js';

const mysql = {
  kind: 'mysql',
  host: 'db.example',
  port: 3306,
  socket: '',
  user: 'busy',
  password: '',
  passwordVariable: '',
  passwordFile: '',
  name: 'records',
} as const;

describe('the database', () => {
  it.each<[string, DatabaseAddress]>([
    ['state_dir: /state', { kind: 'sqlite', path: '/state/busy.db' }],
    ['database: sqlite:///srv/busy.db', { kind: 'sqlite', path: '/srv/busy.db' }],
    ['database: mysql://busy@db.example/records', mysql],
    ['database: mysql://busy:ge%40%2Fh%C3%A9im@db.example/records', { ...mysql, password: 'ge@/héim' }],
    ['database: mariadb://busy@[2001:db8::1]:3307/records', { ...mysql, host: '2001:db8::1', port: 3307 }],
    [
      'database: mysql://busy@localhost/records?socket=/run/my%20sqld.sock',
      { ...mysql, host: 'localhost', socket: '/run/my sqld.sock' },
    ],
    [
      'database: mysql://db.example/records\nmysql_login: busy\nmysql_password: "ge:heim"',
      { ...mysql, password: 'ge:heim' },
    ],
    [
      'database: mysql://busy@db.example/records\nmysql_password_file: /etc/busy/password',
      { ...mysql, passwordFile: '/etc/busy/password' },
    ],
    [
      'database: mysql://busy@db.example/records\nmysql_password: ${BUSY_MYSQL}',
      { ...mysql, passwordVariable: 'BUSY_MYSQL' },
    ],
    [
      'database: "mysql://busy:${BUSY_MYSQL}@db.example/records"',
      { ...mysql, passwordVariable: 'BUSY_MYSQL' },
    ],
    // As the original BUSY was set up.
    [
      'mysql_login: web\nmysql_password: geheim',
      { ...mysql, host: 'localhost', user: 'web', password: 'geheim', name: 'busy' },
    ],
  ])('%j', (text, address) => {
    const config = parsed(text);
    expect(config.database).toEqual(address);
    const described = describeConfig(config);
    expect(described).not.toMatch(/geheim|ge%40|héim|ge:heim/);
    expect(parsed(described).database).toEqual({
      ...address,
      ...(address.kind === 'mysql' && { password: '' }),
    });
  });

  it.each([
    ['database: mysql://busy:geheim@db', /names no database after the host/],
    ['database: mysql://busy:geheim@db/a/b', /names no database after the host/],
    ['database: mysql://busy:geheim@/busy', /is no such address/],
    [
      'database: "mysql://busy:gehe#im@db/busy"',
      /is no such address .*%40 and the like; or use mysql_password/,
    ],
    ['database: mysql://busy:gehe%im@db/busy', /is no such address/],
    ['database: mysql://busy:geheim@db/busy?ssl=geheim', /is no such address/],
    ['database: mysql://busy:geheim@db/busy?socket=run', /has a socket that is the relative path "run"/],
    ['database: mysql://db/busy', /database: names no user; allowed: .*mysql_login/],
    ['database: mysql://a@db/busy\nmysql_login: b', /mysql_login: names a second user/],
    ['database: mysql://a:geheim@db/busy\nmysql_password: geheim', /mysql_password: gives a second password/],
    ['mysql_login: a\nmysql_password: geheim\nmysql_password_file: /p', /_file: gives a second password/],
    ['mysql_password: geheim', /mysql_password: has no effect without mysql_login/],
    ['database: sqlite:/x\nmysql_login: a', /mysql_login: has no effect with the database in database/],
    ['mysql_login: a\nmysql_password: 4711', /mysql_password: is not a text/],
    ['mysql_login: a\nmysql_password: [geheim]', /mysql_password: is not a text/],
    ['mysql_login: a\nmysql_password: ""', /mysql_password: is empty/],
    ['mysql_login: a\nmysql_pasword: geheim', /did you mean mysql_password\?/],
  ])('%j is refused, and nothing of a password is shown', (text, message) => {
    const refused = errorOf(text).message;
    expect(refused).toMatch(message);
    expect(refused).not.toMatch(/gehe|4711/);
  });
});

describe('the login of the original BUSY', () => {
  it('is carried over, with a note on what the original used it for', () => {
    const yaml = convertConfig('mysql_login = "web"; mysql_password = "ge: heim"; hosts = ();', 'busy.conf');
    expect(parsed(yaml).database).toMatchObject({ user: 'web', password: 'ge: heim', name: 'busy' });
    expect(yaml).toMatch(/# NOTE \(line 1\): .* hosts in the tables of the original are not read/);
  });

  it.each(['mysql_password = "geheim";', 'mysql_login = "a b"; mysql_password = "geheim";'])(
    'is left out where it is none: %s',
    (text) => {
      const yaml = convertConfig(text, 'busy.conf');
      expect(parsed(yaml).database.kind).toBe('sqlite');
      expect(yaml).toContain('NOTE (line 1): mysql_login and mysql_password: there is no name of a user');
      expect(yaml).not.toContain('geheim');
    },
  );
});
