/**
 * `busyd reindex`: makes the records of snapshots in the database what the disk tells. On the disk nothing is changed,
 * so it may be repeated at will. Hosts that a daemon has which shares the database are left alone: what that one
 * commits meanwhile would be taken for gone.
 */
import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { readConfig, type Config } from './config.js';
import { checkHosts } from './control/host-registry.js';
import { formatDatabase } from './core/database-address.js';
import type { Host } from './core/host.js';
import type { Clock, SnapshotStore } from './core/ports.js';
import { indexChanges, type IndexChanges } from './core/reindex.js';
import type { SnapshotRecord } from './core/snapshot.js';
import { reindexArchives } from './busyd-reindex-archives.js';
import { identityOf } from './daemon-database.js';
import { hostSourceOf } from './daemon-hosts.js';
import { takePassword } from './daemon-secrets.js';
import { indexStore, type StoreIndex } from './execute/store-index.js';
import { createArchiveStore } from './store/archives.js';
import { openDatabase, type Database } from './store/data-source.js';
import { createHostStore } from './store/hosts.js';
import { createLeaseStore } from './store/leases.js';
import { openPins } from './store/pins.js';
import { createSnapshotStore } from './store/snapshots.js';
import { lockStateDir } from './store/state-lock.js';

/** Hosts that nobody else works on meanwhile. */
interface Turns {
  /** Does the work where no daemon has the host, and answers its lines; else why not. */
  aloneWith(host: string, work: () => Promise<string[]>): Promise<string[]>;
  end(): Promise<unknown>;
}

/** So long others leave the hosts alone when this process is killed, unless its daemon is started before. */
const leaseMs = 10 * 60_000;

/**
 * Answers what was done, or with `isDryRun` would be, in lines. Throws a ConfigError, StateDirInUse while a daemon runs,
 * or a DatabaseError.
 */
export async function reindex(configFile: string, isDryRun: boolean, clock: Clock): Promise<string> {
  const config = await readConfig(configFile, cpus().length);
  await mkdir(config.stateDir, { recursive: true, mode: 0o750 });
  const unlock = await lockStateDir(config.stateDir);
  try {
    const database = await openDatabase(takePassword(config.database));
    const turns = await takeTurns(config, database, clock).catch(async (error: unknown) => {
      await database.close();
      throw error;
    });
    try {
      const source = hostSourceOf(config, await openPins(config.stateDir));
      const { hosts, problems } = await checkHosts(source, createHostStore(database));
      const snapshots = createSnapshotStore(database);
      const archives = createArchiveStore(database);
      const lines = problems.map((problem) => `left out: ${problem}`);
      for (const host of hosts)
        lines.push(
          ...(await turns.aloneWith(host.name, async () => [
            ...(await reindexHost(host, snapshots, isDryRun)),
            ...(await reindexArchives(host, archives, isDryRun)),
          ])),
        );
      if (hosts.length === 0) lines.push('There are no hosts, neither in the file nor in the database.');
      lines.push(...(await strangers(hosts, snapshots)));
      const end = isDryRun ? 'Nothing was changed: this was a dry run.' : 'On the disk nothing was changed.';
      const shown =
        config.database.kind === 'sqlite' ? config.database.path : formatDatabase(config.database);
      return `Database: ${shown}\n${lines.join('\n')}\n${end}\n`;
    } finally {
      // When the database is away, the lease ends by itself.
      await turns.end().catch(() => {});
      await database.close();
    }
  } finally {
    await unlock();
  }
}

async function takeTurns(
  { database: address, stateDir }: Pick<Config, 'database' | 'stateDir'>,
  database: Database,
  clock: Clock,
): Promise<Turns> {
  if (address.kind === 'sqlite') return { aloneWith: (_, work) => work(), end: () => Promise.resolve() };
  const store = createLeaseStore(database);
  const lease = await store.begin(await identityOf(stateDir, clock), leaseMs);
  return {
    aloneWith: async (host, work) => {
      const isKept = (await store.renew(lease, leaseMs)) !== null;
      if (isKept && (await store.claim(lease, [host])).includes(host)) return work();
      const holder = (await store.heldByOthers(lease)).get(host);
      const who = holder ? ` (process ${holder.pid} on machine ${holder.hostname})` : '';
      return [
        `${host}: is in the hands of another busyd${who}: its records are left as they are. Stop that one and repeat.`,
      ];
    },
    end: () => store.end(lease),
  };
}

async function reindexHost(host: Host, store: SnapshotStore, isDryRun: boolean): Promise<string[]> {
  const index = await indexStore(host);
  const recorded = await store.list(host.name);
  if (!index) {
    const where = `${host.backupdir}/${host.name} is not there, or its disk is not mounted`;
    return [`${host.name}: ${where}: its ${recorded.length} records are left as they are`];
  }
  const changes = indexChanges(recorded, index.snapshots);
  if (!isDryRun) await apply(changes, store);
  return describe(host, index, changes);
}

async function apply({ added, corrected, removed }: IndexChanges, store: SnapshotStore): Promise<void> {
  for (const snapshot of [...added, ...corrected]) await store.put(snapshot);
  for (const { host, name } of removed) await store.remove(host, name);
}

function describe(host: Host, index: StoreIndex, changes: IndexChanges): string[] {
  const { added, corrected, removed, keptCount } = changes;
  const counts = `${added.length} added, ${corrected.length} corrected, ${removed.length} removed, ${keptCount} kept`;
  const adopted = new Set(index.adopted);
  const say = (sign: string, snapshot: SnapshotRecord): string =>
    `  ${sign} ${snapshot.name}  ${snapshot.type}, ${snapshot.outcome}${adopted.has(snapshot.name) ? ', of the original BUSY' : ''}`;
  return [
    `${host.name}: ${counts}`,
    ...added.map((snapshot) => say('+', snapshot)),
    ...corrected.map((snapshot) => say('~', snapshot)),
    ...removed.map((snapshot) => say('-', snapshot)),
    ...index.trashed.map((name) => `  t ${name}  is in the trash`),
    ...index.ignored.map((name) => `  ! ${name}  is left out: it holds no directory of files`),
  ];
}

/** Records of hosts that are not configured; their disk is not known, so they are left alone. */
async function strangers(hosts: readonly Host[], store: SnapshotStore): Promise<string[]> {
  const names = new Set(hosts.map(({ name }) => name));
  const others = (await store.list()).filter(({ host }) => !names.has(host)).map(({ host }) => host);
  return [...new Set(others)].map((host) => `${host}: is not configured, its records are left as they are`);
}
