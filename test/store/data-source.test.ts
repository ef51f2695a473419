import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { openDatabase } from '../../src/store/data-source.js';
import { HostEntity } from '../../src/store/host-entity.js';
import { createHostStore } from '../../src/store/hosts.js';
import { AlertStateEntity, MailMarkEntity, OutboxEntity } from '../../src/store/mail-entities.js';
import { createOutboxStore } from '../../src/store/outbox.js';
import { RunEntity } from '../../src/store/run-entity.js';
import { createRunStore } from '../../src/store/runs.js';
import { SnapshotEntity } from '../../src/store/snapshot-entity.js';
import { createArchiveStore } from '../../src/store/archives.js';
import { createSnapshotStore } from '../../src/store/snapshots.js';
import { archiveStoreContract } from './archive-store-contract.js';
import { createTokenStore } from '../../src/store/tokens.js';
import { hostStoreContract } from './host-store-contract.js';
import { outboxStoreContract } from './outbox-store-contract.js';
import { runStoreContract } from './run-store-contract.js';
import { runId, sampleRun, sampleSnapshot } from './samples.js';
import { snapshotStoreContract } from './snapshot-store-contract.js';
import { tokenStoreContract } from './token-store-contract.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'busy-store-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('runs in SQLite', () => {
  runStoreContract(async () => {
    const database = await openDatabase({ kind: 'sqlite', path: path.join(directory, 'busy.db') });
    return { runs: createRunStore(database), close: () => database.close() };
  });
});

describe('snapshots in SQLite', () => {
  snapshotStoreContract(async () => {
    const database = await openDatabase({ kind: 'sqlite', path: path.join(directory, 'busy.db') });
    return { snapshots: createSnapshotStore(database), close: () => database.close() };
  });
});

describe('archives in SQLite', () => {
  archiveStoreContract(async () => {
    const database = await openDatabase({ kind: 'sqlite', path: path.join(directory, 'busy.db') });
    return { archives: createArchiveStore(database), close: () => database.close() };
  });
});

describe('hosts in SQLite', () => {
  hostStoreContract(async () => {
    const database = await openDatabase({ kind: 'sqlite', path: path.join(directory, 'busy.db') });
    return { hosts: createHostStore(database), close: () => database.close() };
  });
});

describe('tokens in SQLite', () => {
  tokenStoreContract(async () => {
    const database = await openDatabase({ kind: 'sqlite', path: path.join(directory, 'busy.db') });
    return { tokens: createTokenStore(database), close: () => database.close() };
  });
});

describe('mails in SQLite', () => {
  outboxStoreContract(async () => {
    const database = await openDatabase({ kind: 'sqlite', path: path.join(directory, 'busy.db') });
    return { outbox: createOutboxStore(database), close: () => database.close() };
  });
});

describe('the SQLite file', () => {
  it('keeps everything over a reopen, in a directory that was missing', async () => {
    const file = path.join(directory, 'new', 'busy.db');
    const before = await openDatabase({ kind: 'sqlite', path: file });
    await createRunStore(before).add(sampleRun(1));
    await createSnapshotStore(before).put(sampleSnapshot('2026-11-22_20-00-05f'));
    await before.close();
    const after = await openDatabase({ kind: 'sqlite', path: file });
    expect(await createRunStore(after).list({})).toStrictEqual([sampleRun(1)]);
    expect(await createSnapshotStore(after).list()).toStrictEqual([sampleSnapshot('2026-11-22_20-00-05f')]);
    await after.close();
  });

  it('made by the first release is migrated without losing a row', async () => {
    const file = path.join(directory, 'busy.db');
    const first = new DataSource({
      type: 'better-sqlite3',
      database: file,
      migrations: migrations.slice(0, 1),
    });
    await first.initialize();
    await first.runMigrations({ transaction: 'each' });
    for (let number = 1; number <= 50; number++) {
      await first.query(
        'INSERT INTO runs (id, kind, host, state, requested_type, type_reason, created_at, jobs, revision) ' +
          "VALUES (?, 'backup', 'web1', 'QUEUED', 'auto', '', 1795000000123, '[]', ?)",
        [runId(number), number],
      );
    }
    await first.destroy();
    const database = await openDatabase({ kind: 'sqlite', path: file });
    const rows = await createRunStore(database).list({});
    expect(rows.toReversed()).toStrictEqual(Array.from({ length: 50 }, (_, index) => sampleRun(index + 1)));
    await database.close();
  });

  it('gives parallel transactions their turns', async () => {
    const database = await openDatabase({ kind: 'sqlite', path: path.join(directory, 'busy.db') });
    await createRunStore(database).add(sampleRun(1, { revision: 0 }));
    const countUp = (): Promise<void> =>
      database.run((manager) =>
        manager.transaction(async (transaction) => {
          const { revision } = await transaction.findOneByOrFail(RunEntity, { id: runId(1) });
          await transaction.update(RunEntity, { id: runId(1) }, { revision: revision + 1 });
        }),
      );
    await Promise.all(Array.from({ length: 20 }, countUp));
    expect(await createRunStore(database).highestRevision()).toBe(20);
    await database.close();
  });

  it('has the settings it needs', async () => {
    const database = await openDatabase({ kind: 'sqlite', path: path.join(directory, 'busy.db') });
    const pragma = (name: string): Promise<unknown> =>
      database.run((manager) => manager.query(`PRAGMA ${name}`));
    expect(await pragma('journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(await pragma('foreign_keys')).toEqual([{ foreign_keys: 1 }]);
    expect(await pragma('synchronous')).toEqual([{ synchronous: 1 }]);
    expect(await pragma('busy_timeout')).toEqual([{ timeout: 10_000 }]);
    await database.close();
  });

  it('has tables as the entities say, and every migration has a way back', async () => {
    const file = path.join(directory, 'busy.db');
    await (await openDatabase({ kind: 'sqlite', path: file })).close();
    const source = new DataSource({
      type: 'better-sqlite3',
      database: file,
      entities: [RunEntity, SnapshotEntity, OutboxEntity, AlertStateEntity, MailMarkEntity, HostEntity],
      migrations: [...migrations],
    });
    await source.initialize();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    expect(upQueries.map((change) => change.query)).toEqual([]);
    for (const _ of migrations) await source.undoLastMigration({ transaction: 'each' });
    const left: { name: string }[] = await source.query(
      "SELECT name FROM sqlite_master WHERE type = 'table'",
    );
    expect(left.map((table) => table.name).filter((name) => !name.startsWith('sqlite_'))).toEqual([
      'migrations',
    ]);
    await source.destroy();
  });

  it('of a newer BUSY is refused and stays as it is', async () => {
    const file = path.join(directory, 'busy.db');
    const newer = new DataSource({
      type: 'better-sqlite3',
      database: file,
      migrations: migrations.slice(0, -1),
    });
    await newer.initialize();
    await newer.runMigrations({ transaction: 'each' });
    await newer.query("INSERT INTO migrations (timestamp, name) VALUES (1, 'Future1900000000000')");
    await expect(openDatabase({ kind: 'sqlite', path: file })).rejects.toThrow(
      /newer BUSY \(Future1900000000000\)\. Install/,
    );
    const ran: unknown[] = await newer.query('SELECT name FROM migrations');
    expect(ran).toHaveLength(migrations.length);
    await newer.destroy();
  });

  it('that is no database gives an error that names it', async () => {
    const file = path.join(directory, 'busy.db');
    await writeFile(file, 'This is not a database, and long enough to be looked at as one.'.repeat(20));
    await expect(openDatabase({ kind: 'sqlite', path: file })).rejects.toMatchObject({
      message: expect.stringContaining(`${file} cannot be opened`),
      cause: expect.any(Error),
    });
  });

  it('refuses work after its close, and may be closed twice', async () => {
    const file = path.join(directory, 'busy.db');
    const database = await openDatabase({ kind: 'sqlite', path: file });
    const pending = createRunStore(database).add(sampleRun(1));
    await database.close();
    await database.close();
    await expect(pending).resolves.toBeUndefined();
    await expect(createRunStore(database).list({})).rejects.toThrow(`The database ${file} is closed.`);
  });
});
