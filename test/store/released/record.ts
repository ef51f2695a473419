/**
 * Records the database of a release, for the test of upgrades: `npx tsx test/store/released/record.ts VERSION` writes
 * VERSION.sql, a database with rows in every table, and VERSION.json, what the stores answer from it. To be run once, when
 * the version is released, and never again: what it wrote stands for the databases out there.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { newAlertState } from '../../../src/core/alerts.js';
import { createArchiveStore } from '../../../src/store/archives.js';
import { openDatabase, type Database } from '../../../src/store/data-source.js';
import { createHostStore } from '../../../src/store/hosts.js';
import { createOutboxStore } from '../../../src/store/outbox.js';
import { createRunStore } from '../../../src/store/runs.js';
import { createSnapshotStore } from '../../../src/store/snapshots.js';
import { createTokenStore } from '../../../src/store/tokens.js';
import { runId, sampleRun, sampleSnapshot, stats } from '../samples.js';
import { dumpOf } from './dump.js';
import { readStores } from './read-stores.js';

const version = process.argv[2] ?? '';
if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error('Which version?');

const at = new Date('2026-11-26T10:00:00.123Z');
const directory = await mkdtemp(join(tmpdir(), 'busy-released-'));
try {
  const file = join(directory, 'busy.db');
  const database = await openDatabase({ kind: 'sqlite', path: file });
  await fill(database);
  const answers = await readStores(database);
  await database.close();
  const source = await new DataSource({ type: 'better-sqlite3', database: file }).initialize();
  await writeFile(new URL(`${version}.sql`, import.meta.url), await dumpOf(source));
  await source.destroy();
  await writeFile(new URL(`${version}.json`, import.meta.url), `${JSON.stringify(answers, null, 1)}\n`);
} finally {
  await rm(directory, { recursive: true });
}

async function fill(database: Database): Promise<void> {
  const runs = createRunStore(database);
  await runs.add(
    sampleRun(1, {
      state: 'PARTIAL',
      type: 'full',
      typeReason: 'there is no full one; "zoë" \\ \u{1f600}',
      startedAt: at,
      endedAt: at,
      snapshot: '2026-11-26_10-00-00f',
      error: { reason: 'FILES_MISSING', message: "it's 1 file", advice: 'See them.' },
      jobs: [
        {
          number: 1,
          source: '/etc',
          state: 'PARTIAL',
          error: null,
          exitCode: 23,
          stats,
          missingFileCount: 1,
          missingFiles: [{ path: '/etc/caf\\#351', why: 'Permission denied (13)' }],
        },
      ],
      requestId: 'request-1',
      isScheduled: true,
      acceptsChanges: true,
    }),
  );
  await runs.add(sampleRun(2, { kind: 'verify', state: 'INTERRUPTED', requestedType: 'auto' }));
  const snapshots = createSnapshotStore(database);
  await snapshots.put(sampleSnapshot('2026-11-25_10-00-00f'));
  await snapshots.put(sampleSnapshot('2026-11-26_10-00-00i', { type: 'incremental', manifest: null }));
  await createArchiveStore(database).put({
    host: 'web1',
    name: '2026-10-22_20-00-05f',
    format: 'tar.gz',
    path: '/srv/archive/web1-2026-10-22_20-00-05f.tar.gz',
    bytes: 123_456_789_012,
    sha256: 'ab'.repeat(32),
    archivedAt: at,
    runId: runId(3),
    snapshot: sampleSnapshot('2026-10-22_20-00-05f'),
    manifestRoot: 'data',
    manifest: { entries: 3, files: 2, bytes: 5, unreadable: 0 },
    verifiedAt: null,
    damage: '',
    copyPath: '/mnt/second/web1-2026-10-22_20-00-05f.tar.gz',
  });
  const hosts = createHostStore(database);
  for (const name of ['web1', 'gone']) {
    const settings = { srcdirs: ['/etc', '/home/zoë'], keep: { daily: 7 }, pre_command: "echo 'a\\b'" };
    await hosts.add({ name, settings, etag: runId(4), createdAt: at, updatedAt: at });
  }
  await hosts.trash('gone', runId(4), { id: runId(5), putAt: at, putBy: 'token alice' });
  await createTokenStore(database).add({
    id: 'abcdefghijkl',
    name: 'alice',
    role: 'operator',
    hosts: ['web1'],
    hash: 'cd'.repeat(32),
    createdBy: 'socket',
    createdAt: at,
    expiresAt: new Date('2027-11-26T10:00:00.123Z'),
  });
  const outbox = createOutboxStore(database);
  const mail = {
    id: runId(6),
    recipient: 'a@example.org',
    subject: 'web1: FAILED',
    text: 'Line 1\nLine 2\n',
  };
  await outbox.recordAlert({ ...newAlertState('web1', at, 7), failureCount: 2, failingSince: at }, [
    { ...mail, createdAt: at },
  ]);
  await outbox.recordDigest(at, []);
  // Only daemons that share a MySQL have these.
  await database.run(async (manager) => {
    await manager.query("INSERT INTO database_identity (one, id) VALUES (1, 'an-identity')");
    await manager.query(
      "INSERT INTO daemon_leases (lease, home, hostname, pid, started_at, ends_at) VALUES (1, 'a-home', 'backup', 7, 1, 2)",
    );
    await manager.query("INSERT INTO host_leases (host, lease) VALUES ('web1', 1)");
  });
}
