import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrations } from '../../migrations/index.js';
import type { MysqlAddress } from '../../src/core/database-address.js';
import { openDatabase, type Database } from '../../src/store/data-source.js';
import { createHostStore } from '../../src/store/hosts.js';
import { createOutboxStore } from '../../src/store/outbox.js';
import { createRunStore } from '../../src/store/runs.js';
import { createArchiveStore } from '../../src/store/archives.js';
import { createSnapshotStore } from '../../src/store/snapshots.js';
import { createTokenStore } from '../../src/store/tokens.js';
import { PrivateMariadb } from '../helpers/private-mariadb.js';
import { archiveStoreContract } from './archive-store-contract.js';
import { statementsOf } from './released/dump.js';
import { readStores } from './released/read-stores.js';
import { releasedMigrations, textOf } from './released/versions.js';
import { hostStoreContract } from './host-store-contract.js';
import { outboxStoreContract } from './outbox-store-contract.js';
import { runStoreContract } from './run-store-contract.js';
import { sampleRun, sampleSnapshot } from './samples.js';
import { snapshotStoreContract } from './snapshot-store-contract.js';
import { tokenStoreContract } from './token-store-contract.js';

let mariadb: PrivateMariadb;
beforeAll(async () => {
  mariadb = await PrivateMariadb.start();
});
afterAll(() => mariadb.end());

async function open(): Promise<Database> {
  return openDatabase(await mariadb.freshDatabase());
}

describe('runs in MariaDB', () => {
  runStoreContract(async () => {
    const database = await open();
    return { runs: createRunStore(database), close: () => database.close() };
  });
});

describe('snapshots in MariaDB', () => {
  snapshotStoreContract(async () => {
    const database = await open();
    return { snapshots: createSnapshotStore(database), close: () => database.close() };
  });
});

describe('archives in MariaDB', () => {
  archiveStoreContract(async () => {
    const database = await open();
    return { archives: createArchiveStore(database), close: () => database.close() };
  });
});

describe('hosts in MariaDB', () => {
  hostStoreContract(async () => {
    const database = await open();
    return { hosts: createHostStore(database), close: () => database.close() };
  });
});

describe('tokens in MariaDB', () => {
  tokenStoreContract(async () => {
    const database = await open();
    return { tokens: createTokenStore(database), close: () => database.close() };
  });
});

describe('mails in MariaDB', () => {
  outboxStoreContract(async () => {
    const database = await open();
    return { outbox: createOutboxStore(database), close: () => database.close() };
  });
});

describe('a MariaDB database', () => {
  it('keeps everything over a reopen', async () => {
    const address = await mariadb.freshDatabase();
    const before = await openDatabase(address);
    await createRunStore(before).add(sampleRun(1));
    await createSnapshotStore(before).put(sampleSnapshot('2026-11-22_20-00-05f'));
    await before.close();
    await before.close();
    await expect(createRunStore(before).list({})).rejects.toThrow(/ is closed\.$/);
    const after = await openDatabase(address);
    expect(await createRunStore(after).list({})).toStrictEqual([sampleRun(1)]);
    expect(await createSnapshotStore(after).list()).toStrictEqual([sampleSnapshot('2026-11-22_20-00-05f')]);
    await after.close();
  });

  it('has texts of utf8mb4 that are compared byte by byte, whatever the server takes by itself', async () => {
    const { name, ...address } = await mariadb.freshDatabase();
    await (await openDatabase({ ...address, name })).close();
    const odd = await mariadb.sql(
      `SELECT table_name, column_name, collation_name FROM information_schema.columns
       WHERE table_schema = '${name}' AND table_name <> 'migrations'
         AND data_type NOT IN ('bigint', 'int') AND collation_name <> 'utf8mb4_nopad_bin'`,
    );
    expect(odd).toBe('');
    const engines = await mariadb.sql(
      `SELECT DISTINCT engine FROM information_schema.tables WHERE table_schema = '${name}'`,
    );
    expect(engines).toBe('InnoDB\n');
  });

  it('answers numbers above 2^53 to the last digit', async () => {
    const database = await open();
    const [row] = await database.run((manager): Promise<unknown[]> =>
      manager.query('SELECT 9007199254740993 AS big, -9007199254740993 AS low'),
    );
    expect(row).toEqual({ big: '9007199254740993', low: '-9007199254740993' });
    await database.close();
  });

  it('has tables that an attempt which broke off has made', async () => {
    const address = await mariadb.freshDatabase();
    const { host, port, user, password, name } = address;
    const first = new DataSource({
      type: 'mysql',
      host,
      port,
      username: user,
      password,
      database: name,
      migrations: migrations.slice(0, 1),
    });
    await first.initialize();
    await first.runMigrations();
    await first.destroy();
    await mariadb.sql(`DELETE FROM ${name}.migrations; DROP TABLE ${name}.snapshots`);
    const database = await openDatabase(address);
    await createSnapshotStore(database).put(sampleSnapshot('2026-11-22_20-00-05f'));
    await database.close();
    await mariadb.sql(
      `DELETE FROM ${name}.migrations ORDER BY id DESC LIMIT 1; DROP TABLE ${name}.host_leases`,
    );
    await (await openDatabase(address)).close();
    const names = await mariadb.sql(`SELECT name FROM ${name}.migrations ORDER BY id`);
    expect(names.trim().split('\n')).toEqual(migrations.map((migration) => migration.name));
  });

  it('of the first release keeps every row', async () => {
    const address = await mariadb.freshDatabase();
    const { host, port, user, password, name } = address;
    const released = releasedMigrations('0.1.0');
    const source = await new DataSource({
      type: 'mysql',
      host,
      port,
      username: user,
      password,
      database: name,
      migrations: migrations.filter((migration) => released.includes(migration.name)),
    }).initialize();
    await source.runMigrations({ transaction: 'each' });
    const runner = source.createQueryRunner();
    await runner.query("SET SESSION sql_mode = 'STRICT_ALL_TABLES,ANSI_QUOTES,NO_BACKSLASH_ESCAPES'");
    const rows = statementsOf(textOf('0.1.0.sql')).filter((statement) =>
      /^INSERT INTO (?!"migrations")/.test(statement),
    );
    for (const row of rows) await runner.query(row);
    await runner.release();
    await source.destroy();
    const database = await openDatabase(address);
    expect(await readStores(database)).toMatchObject(JSON.parse(textOf('0.1.0.json')) as object);
    await database.close();
    const leases = await mariadb.sql(`SELECT * FROM ${name}.daemon_leases NATURAL JOIN ${name}.host_leases`);
    expect(leases).toContain('web1');
  });

  it('with a table of something else is refused', async () => {
    const address = await mariadb.freshDatabase();
    await mariadb.sql(`CREATE TABLE ${address.name}.hosts (id INT, name TEXT)`);
    await refuses(address, /holds a table "hosts" that is not of BUSY; BUSY needs a database of its own/);
  });

  it('of a newer BUSY is refused', async () => {
    const address = await mariadb.freshDatabase();
    await (await openDatabase(address)).close();
    await mariadb.sql(
      `INSERT INTO ${address.name}.migrations (timestamp, name) VALUES (1, 'Future1900000000000')`,
    );
    await refuses(address, /newer BUSY \(Future1900000000000\)\. Install/);
  });

  it('refuses what does not fit instead of cutting it, also on a careless server', async () => {
    await mariadb.sql("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'");
    const database = await open();
    const runs = createRunStore(database);
    await expect(runs.add(sampleRun(1, { snapshot: 'x'.repeat(65) }))).rejects.toThrow(/too long/i);
    await expect(
      Promise.all(
        Array.from({ length: 20 }, (_, index) => runs.add(sampleRun(index + 2, { typeReason: "\\' -- \n" }))),
      ),
    ).resolves.toHaveLength(20);
    expect((await runs.list({})).map(({ typeReason }) => typeReason)).toEqual(Array(20).fill("\\' -- \n"));
    await database.close();
    await mariadb.sql('SET GLOBAL sql_mode = DEFAULT');
  });
});

describe('a MariaDB database that cannot be opened', () => {
  it('says how to create it', async () => {
    const address = { ...(await mariadb.freshDatabase()), name: 'busy_none' };
    await mariadb.sql(`GRANT ALL PRIVILEGES ON busy_none.* TO '${address.user}'@'%'`);
    await refuses(
      address,
      /mysql:\/\/busy@127\.0\.0\.1:\d+\/busy_none cannot .*: Unknown database 'busy_none'\. /,
    );
    await refuses(
      address,
      /CREATE DATABASE `busy_none` CHARACTER SET utf8mb4; GRANT ALL PRIVILEGES ON `busy_none`/,
    );
  });

  it('says that the user may not use it', async () => {
    const address = { ...(await mariadb.freshDatabase()), name: 'mysql' };
    await refuses(
      address,
      /Access denied .* give the user its rights: CREATE DATABASE IF NOT EXISTS `mysql`/,
    );
  });

  it('says that user or password are wrong', async () => {
    const address = { ...(await mariadb.freshDatabase()), password: 'wrong-secret' };
    await refuses(address, /Access denied for user 'busy'.*Correct the user or the password/);
  });

  it('says that nothing answers', async () => {
    const address = { ...(await mariadb.freshDatabase()), port: 1 };
    await refuses(
      address,
      /ECONNREFUSED.*Start the server, or correct database: nothing answers at 127\.0\.0\.1, port 1/,
    );
    const socket = path.join(mariadb.directory, 'none.sock');
    await refuses({ ...address, socket }, /ENOENT.*nothing answers at .*none\.sock/);
  });

  it('says that the file of the password cannot be read', async () => {
    const address = { ...(await mariadb.freshDatabase()), password: '', passwordFile: '/none/password' };
    await refuses(address, /The password of the database cannot be read from \/none\/password: ENOENT/);
  });

  it('is reached over a socket, with a password in a file', async () => {
    const { password, ...address } = await mariadb.freshDatabase();
    const passwordFile = path.join(mariadb.directory, 'password');
    await writeFile(passwordFile, `${password}\n`);
    const database = await openDatabase({
      ...address,
      port: 1,
      password: '',
      passwordFile,
      socket: mariadb.socket,
    });
    await database.ping();
    await database.close();
  });
});

async function refuses(address: MysqlAddress, message: RegExp): Promise<void> {
  const error: unknown = await openDatabase(address).then(
    () => new Error('it was opened'),
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ name: 'DatabaseError', message: expect.stringMatching(message) });
  if (address.password !== '') expect(String(error)).not.toContain(address.password);
}
