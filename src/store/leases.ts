/**
 * The leases of daemons and the hosts they hold, on MySQL or MariaDB: SQLite has one daemon and needs none. Whatever
 * must not be done by two is one statement, and a lease is alive as long as its row is there. Statements are written
 * out, since they need the clock of the database.
 */
import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { LeaseStore, OtherDaemon } from '../core/lease.js';
import { activeStates } from '../core/run.js';
import type { Database } from './data-source.js';

/** Milliseconds since 1970; computed in UTC, where no hour comes twice. */
const databaseNow = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)";
/** Hosts in one statement. */
const atOnce = 500;

interface Changed {
  readonly affectedRows: number;
  readonly insertId: number;
}

interface DaemonRow {
  readonly lease: number;
  readonly hostname: string;
  readonly pid: number;
  readonly expired: number | string;
}

/** The port LeaseStore over a database. All methods throw as `Database.run` does. */
export function createLeaseStore(database: Database): LeaseStore {
  const change = (sql: string, values: readonly unknown[]): Promise<Changed> =>
    database.run((manager): Promise<Changed> => manager.query(sql, [...values]));
  const select = <T>(sql: string, values: readonly unknown[] = []): Promise<T[]> =>
    database.run((manager): Promise<T[]> => manager.query(sql, [...values]));
  return {
    databaseId: async () => {
      await change('INSERT IGNORE INTO database_identity (one, id) VALUES (1, ?)', [randomUUID()]);
      const [row] = await select<{ id: string }>('SELECT id FROM database_identity');
      return row?.id ?? '';
    },
    begin: ({ home, hostname, pid, startedAt }, lengthMs) =>
      database.run((manager) =>
        manager.transaction(async (transaction) => {
          await transaction.query('DELETE FROM daemon_leases WHERE home = ?', [home]);
          const made: Changed = await transaction.query(
            `INSERT INTO daemon_leases (home, hostname, pid, started_at, ends_at) VALUES (?, ?, ?, ?, ${databaseNow} + ?)`,
            [home, hostname, pid, startedAt.getTime(), lengthMs],
          );
          return made.insertId;
        }),
      ),
    renew: (lease, lengthMs) => database.run((manager) => renew(manager, lease, lengthMs)),
    takeAway: async (lease) => {
      const sql = `DELETE FROM daemon_leases WHERE lease = ? AND ends_at < ${databaseNow}`;
      return (await change(sql, [lease])).affectedRows === 1;
    },
    end: async (lease) => {
      await change('DELETE FROM daemon_leases WHERE lease = ?', [lease]);
      await change('DELETE FROM host_leases WHERE lease = ?', [lease]);
      const [row] = await select<{ others: string }>('SELECT COUNT(*) AS others FROM daemon_leases');
      return Number(row?.others);
    },
    heldByOthers: async (lease) => {
      const rows = await select<DaemonRow & { host: string }>(
        `SELECT h.host, d.lease, d.hostname, d.pid, d.ends_at < ${databaseNow} AS expired
         FROM host_leases h JOIN daemon_leases d ON d.lease = h.lease WHERE d.lease <> ?`,
        [lease],
      );
      return new Map(rows.map((row) => [row.host, toOther(row)]));
    },
    claim: async (lease, hosts) => {
      const claimed: string[] = [];
      for (let from = 0; from < hosts.length; from += atOnce) {
        const some = hosts.slice(from, from + atOnce);
        claimed.push(...(await database.run((manager) => claim(manager, lease, some))));
      }
      return claimed;
    },
    release: async (lease, hosts) => {
      if (hosts.length === 0) return;
      await change('DELETE FROM host_leases WHERE lease = ? AND host IN (?)', [lease, hosts]);
    },
    leftRuns: () =>
      select(
        `SELECT id, host FROM runs WHERE state IN (?)
         AND (lease IS NULL OR lease NOT IN (SELECT lease FROM daemon_leases)) ORDER BY id`,
        [activeStates],
      ),
    adopt: async (lease, runId) => {
      const { affectedRows } = await change(
        `UPDATE runs SET lease = ? WHERE id = ? AND state IN (?)
         AND (lease IS NULL OR lease NOT IN (SELECT d.lease FROM daemon_leases d))`,
        [lease, runId, activeStates],
      );
      return affectedRows === 1;
    },
  };
}

async function renew(
  manager: EntityManager,
  lease: number,
  lengthMs: number,
): Promise<readonly OtherDaemon[] | null> {
  await manager.query(`UPDATE daemon_leases SET ends_at = ${databaseNow} + ? WHERE lease = ?`, [
    lengthMs,
    lease,
  ]);
  const rows: DaemonRow[] = await manager.query(
    `SELECT lease, hostname, pid, ends_at < ${databaseNow} AS expired FROM daemon_leases ORDER BY lease`,
  );
  if (!rows.some((row) => row.lease === lease)) return null;
  return rows.filter((row) => row.lease !== lease).map(toOther);
}

/** A host whose holder has no lease any more counts as free. */
async function claim(manager: EntityManager, lease: number, hosts: readonly string[]): Promise<string[]> {
  const rows = hosts.map(() => '(?, ?)').join(', ');
  await manager.query(
    `INSERT INTO host_leases (host, lease) VALUES ${rows} ON DUPLICATE KEY UPDATE lease =
     IF(lease IN (SELECT d.lease FROM daemon_leases d), lease, ?)`,
    [...hosts.flatMap((host) => [host, lease]), lease],
  );
  const held: { host: string }[] = await manager.query(
    'SELECT host FROM host_leases WHERE lease = ? AND host IN (?)',
    [lease, hosts],
  );
  return held.map(({ host }) => host);
}

function toOther({ lease, hostname, pid, expired }: DaemonRow): OtherDaemon {
  return { lease, hostname, pid, hasExpired: Number(expired) === 1 };
}
