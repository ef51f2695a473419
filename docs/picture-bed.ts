/**
 * A daemon for pictures: a few hosts that were really backed up over SSH, some more than once. Only the dates are not
 * real: what was made within a minute is moved apart, to one backup a day.
 */
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { PrivateSshd } from '../clients/quickstart/private-sshd.js';
import { parseSnapshotName, snapshotName } from '../src/core/snapshot.js';
import { openDatabase } from '../src/store/data-source.js';
import { TestBed } from '../test/helpers/test-bed.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** How often each is backed up before the pictures are taken. */
const backupCounts = { web1: 14, db1: 9, mail: 6, files: 4 } as const;
const mib = 2 ** 20;

/** Where everything lies; its name is seen in the pictures. */
const top = '/tmp/busy-pictures';

export interface PictureBed {
  readonly bed: TestBed;
  /** Backs this host up so slowly that it can be looked at. */
  readonly slowHost: string;
  end(): Promise<void>;
}

export async function createPictureBed(say: (line: string) => void): Promise<PictureBed> {
  await rm(top, { recursive: true, force: true });
  await mkdir(top);
  const bed = await TestBed.create();
  const end = async (): Promise<void> => {
    await bed.end();
    await rm(top, { recursive: true, force: true });
  };
  try {
    const sshd = await bed.startSshd();
    await makeSources();
    const database = join(bed.directory, 'busy.db');
    const settings = { database: `sqlite:${database}`, defaults: { archivedir: join(top, 'archive') } };
    const hosts = hostsOf(bed, sshd);
    // All by hand first, and nothing is removed.
    await bed.configure(
      hosts.map((host) => ({ ...host, schedule: 'never' })),
      settings,
    );
    await mkdir(join(top, 'archive'));
    await bed.startDaemon();
    for (const [host, count] of Object.entries(backupCounts)) {
      say(`backing ${host} up ${count} times`);
      for (let round = 1; round <= count; round++) {
        await changeSource(host, round);
        await bed.backUp(host);
      }
    }
    await bed.backUp('printer');
    await bed.busy(['archive', 'db1/' + (await oldestOf('db1')), '--follow']);
    await bed.stopDaemon();
    for (const host of Object.keys(backupCounts)) await moveApart(host, database);
    await writeDiskHistory(bed);
    const defaults = { ...settings.defaults, keep: { daily: 14, weekly: 8 } };
    await bed.configure(hosts, { ...settings, defaults });
    const reindexed = await bed.busyd(['reindex', '--config', bed.configFile]);
    if (reindexed.code !== 0) throw new Error(reindexed.stderr);
    await bed.startDaemon();
    // What can only be seen fresh: a source that is suddenly empty, and something in the trash.
    await rm(source('files', 'home'), { recursive: true });
    await mkdir(source('files', 'home'));
    await bed.backUp('files');
    await bed.busy(['delete', `mail/${await oldestOf('mail')}`, '--yes']);
    // What a restore would bring back.
    await rm(source('web1', 'srv/shop/index.html'));
    await writeFile(source('web1', 'srv/shop/catalogue.json'), '{}');
    return { bed, slowHost: 'build', end };
  } catch (error) {
    await end();
    throw error;
  }
}

function source(host: string, directory: string): string {
  return join(top, host, directory);
}

function hostsOf(bed: TestBed, sshd: PrivateSshd) {
  const at = (name: string, directories: readonly string[], settings: object = {}) => {
    const srcdirs = directories.map((directory) => source(name, directory));
    return bed.hostAt(sshd, { name, srcdirs, backupdir: join(top, 'backup'), ...settings });
  };
  const nightly = { schedule: ['22:00'] };
  return [
    at('web1', ['etc', 'srv'], nightly),
    at('db1', ['etc', 'var'], nightly),
    at('mail', ['etc', 'home'], nightly),
    at('files', ['home'], { schedule: ['20:30'] }),
    at('build', ['srv'], { bandwidth_limit: '900' }),
    // There is nothing to back up.
    at('printer', ['etc']),
    // Nothing listens there.
    at('laptop-anna', ['home'], { port: 9, schedule: [] }),
  ];
}

async function makeSources(): Promise<void> {
  await mkdir(join(top, 'backup'));
  const files: readonly [host: string, file: string, bytes: number][] = [
    ['web1', 'etc/nginx/nginx.conf', 2400],
    ['web1', 'etc/nginx/sites-enabled/shop.conf', 1300],
    ['web1', 'etc/hosts', 220],
    ['web1', 'srv/shop/index.html', 5200],
    ['web1', 'srv/shop/catalogue.json', 6 * mib],
    ['web1', 'srv/shop/photos/header.jpg', 3 * mib],
    ['web1', 'srv/shop/photos/team.jpg', 2 * mib],
    ['web1', 'srv/shop/README.md', 800],
    ['db1', 'etc/mysql/my.cnf', 1800],
    ['db1', 'var/dump.sql', 12 * mib],
    ['mail', 'etc/postfix/main.cf', 3100],
    ['mail', 'home/anna/Maildir/cur/1', 40_000],
    ['files', 'home/anna/thesis.odt', 4 * mib],
    ['files', 'home/ben/budget.ods', mib],
    ['build', 'srv/cache.tar', 120 * mib],
  ];
  for (const [host, file, bytes] of files) {
    const path = source(host, file);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, randomBytes(bytes));
  }
}

/** Something is new each day, and on some days more. */
async function changeSource(host: string, round: number): Promise<void> {
  const place = { web1: 'srv/shop/photos', db1: 'var', mail: 'home/anna/Maildir/cur', files: 'home/anna' }[
    host
  ];
  if (place === undefined) return;
  const bytes = Math.round((0.4 + ((round * 7) % 5) / 3) * mib);
  await writeFile(source(host, join(place, `${host}-${String(round).padStart(3, '0')}`)), randomBytes(bytes));
  if (host === 'web1') await appendFile(source(host, 'etc/hosts'), `192.0.2.${round} cache${round}\n`);
}

async function oldestOf(host: string): Promise<string> {
  return (await namesOf(host))[0] ?? '';
}

async function namesOf(host: string): Promise<string[]> {
  return (await readdir(join(top, 'backup', host))).filter((name) => parseSnapshotName(name) !== null).sort();
}

/** Gives the snapshots of a host, and the runs that made them, one day each; the newest was made last night. */
async function moveApart(host: string, databaseFile: string): Promise<void> {
  const names = await namesOf(host);
  const database = await openDatabase({ kind: 'sqlite', path: databaseFile });
  const renamed = new Map<string, string>();
  try {
    for (const [index, name] of names.entries()) {
      const directory = join(top, 'backup', host, name);
      const json = JSON.parse(await readFile(join(directory, 'snapshot.json'), 'utf8')) as SnapshotJson;
      const last = lastNight();
      const startedAt = new Date(last.getTime() - (names.length - 1 - index) * dayMs);
      const shiftMs = new Date(json.startedAt).getTime() - startedAt.getTime();
      const took = 60_000 * (3 + ((index * 5) % 7));
      const next = snapshotName(startedAt, json.type);
      renamed.set(name, next);
      const changed = {
        ...json,
        name: next,
        startedAt,
        committedAt: new Date(startedAt.getTime() + took),
        linkBases: json.linkBases.map((base) => renamed.get(base) ?? base),
      };
      await writeFile(join(directory, 'snapshot.json'), JSON.stringify(changed, null, 2));
      await rename(directory, join(top, 'backup', host, next));
      await database.run((manager) =>
        manager.query(
          'UPDATE runs SET snapshot = ?, created_at = created_at - ?, started_at = started_at - ?, ended_at = ? WHERE id = ?',
          [next, shiftMs, shiftMs, changed.committedAt.getTime(), json.runId],
        ),
      );
    }
  } finally {
    await database.close();
  }
}

interface SnapshotJson {
  readonly name: string;
  readonly type: 'full' | 'incremental';
  readonly startedAt: string;
  readonly runId: string;
  readonly linkBases: readonly string[];
}

function lastNight(): Date {
  const time = new Date();
  time.setHours(22, 0, 4, 0);
  return time.getTime() < Date.now() - hourMs ? time : new Date(time.getTime() - dayMs);
}

/** As if the daemon had noted for weeks what was free. */
async function writeDiskHistory(bed: TestBed): Promise<void> {
  const samples = Array.from({ length: 26 }, (_, index) => 26 - index).map((days) => ({
    atMs: Date.now() - days * dayMs,
    freeBytes: (180 + days * 1.1 + (days % 3) * 0.4) * 2 ** 30,
  }));
  const history = JSON.stringify({ [join(top, 'backup')]: samples });
  await writeFile(join(bed.directory, 'state/disk-history.json'), history);
}
