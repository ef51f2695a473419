/** Databases of released versions are brought up to date with all that is in them. */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { openDatabase } from '../../src/store/data-source.js';
import { rowsOf, schemaOf, statementsOf } from './released/dump.js';
import { readStores } from './released/read-stores.js';
import { releasedMigrations, textOf } from './released/versions.js';

const versions = readdirSync(new URL('released/', import.meta.url))
  .filter((name) => name.endsWith('.sql'))
  .map((name) => name.replace('.sql', ''));

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-upgrade-'));
  file = join(directory, 'busy.db');
});
afterEach(() => rm(directory, { recursive: true }));

async function openPlain(): Promise<DataSource> {
  return new DataSource({ type: 'better-sqlite3', database: file }).initialize();
}

it('the first release is among them', () => {
  expect(versions).toContain('0.1.0');
});

describe.each(versions)('a database of %s', (version) => {
  it('keeps every row, and all is read from it as it was', async () => {
    const old = await openPlain();
    for (const statement of statementsOf(textOf(`${version}.sql`))) await old.query(statement);
    const before = await rowsOf(old);
    await old.destroy();
    const empty = Object.entries(before).filter(([, rows]) => rows.length === 0);
    expect(empty.map(([table]) => table)).toEqual([]);

    const database = await openDatabase({ kind: 'sqlite', path: file });
    expect(await readStores(database)).toMatchObject(JSON.parse(textOf(`${version}.json`)) as object);
    await database.close();

    const upgraded = await openPlain();
    const after = await rowsOf(upgraded);
    await upgraded.destroy();
    const { migrations: known, ...rest } = before;
    expect(after.migrations?.slice(0, known?.length)).toEqual(known);
    expect(after).toMatchObject(rest);
  });

  it('is what its migrations make to this day', async () => {
    const released = releasedMigrations(version);
    const source = new DataSource({
      type: 'better-sqlite3',
      database: file,
      migrations: migrations.filter(({ name }) => released.includes(name)),
    });
    await source.initialize();
    await source.runMigrations({ transaction: 'each' });
    const schema = await schemaOf(source);
    await source.destroy();
    const dump = statementsOf(textOf(`${version}.sql`));
    expect(schema).toEqual(dump.filter((statement) => statement.startsWith('CREATE ')));
    expect(migrations.slice(0, released.length).map(({ name }) => name)).toEqual(released);
  });
});
