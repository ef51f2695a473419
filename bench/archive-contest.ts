/** An archive run of busyd beside `tar czf` and `tar | pigz` on the same snapshot. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupType, RunState } from '../src/gen/busy/v1/run.js';
import { archive, deleteArchive } from '../test/helpers/archive-calls.js';
import { runCommand } from '../test/helpers/run-command.js';
import type { TestBed } from '../test/helpers/test-bed.js';
import { timeListHosts } from './list-hosts.js';
import type { BenchmarkOptions } from './options.js';
import { rotate } from './rotate.js';
import { remove, settleDisk, withScratch } from './scratch.js';
import { percentile } from './statistics.js';
import { makeMixedTree } from './trees.js';

export const archivers = ['tar czf', 'tar | pigz', 'busyd', 'busyd, zst', 'busyd, asked'] as const;
export type Archiver = (typeof archivers)[number];

export interface Archived {
  readonly by: Archiver;
  readonly seconds: number;
  /** Of busyd: what the writing alone took. */
  readonly writeSeconds: number;
  readonly bytes: number;
  /** ListHosts, a page of 100 of 1000 hosts, ten times a second while busyd archives; NaN where it is not asked. */
  readonly p99Ms: number;
}

const hostCount = 1000;
const hostsPerPage = 100;
const pauseMs = 100;
const callsAtOnce = 100;
/** The same source, one archived to tar.gz, the other to tar.zst. */
const hostsOf = { gz: 'web1', zst: 'web2' };

export interface ArchiveSizes {
  readonly files: number;
  /** Of each of the three large files that have content. */
  readonly mib: number;
}

interface Place {
  readonly bed: TestBed;
  readonly directory: string;
  /** The names of the snapshots, by host. */
  readonly snapshots: Readonly<Record<string, string>>;
}

/** What is archived, for people. */
export function describeArchived({ files, mib }: ArchiveSizes): string {
  return `${files} small files, 3 of ${mib} MiB (text, mixed, random), one of 256 MiB without content`;
}

/** All in turn; each round begins with another one. */
export async function measureArchives(
  { rounds, directory: parent, say, signal }: BenchmarkOptions,
  sizes: ArchiveSizes,
  contestants: readonly Archiver[],
): Promise<Archived[]> {
  const needed = sizes.mib * 12 * 2 ** 20 + sizes.files * 20_000;
  return withScratch(parent, needed, async ({ directory, bed }) => {
    say('archive: making the tree and its snapshot');
    const snapshots = await prepare(bed, directory, sizes);
    const records: Archived[] = [];
    for (let round = 1; round <= rounds; round++) {
      for (const by of rotate(contestants, round - 1)) {
        signal.throwIfAborted();
        await settleDisk(directory);
        const archived = await carryOut(by, { bed, directory, snapshots });
        say(`archive, round ${round}: ${by}: ${archived.seconds.toFixed(2)} s`);
        records.push(archived);
      }
    }
    return records;
  });
}

async function prepare(
  bed: TestBed,
  directory: string,
  sizes: ArchiveSizes,
): Promise<Record<string, string>> {
  const source = join(directory, 'source');
  await makeMixedTree(source, sizes);
  await runCommand('truncate', ['-s', '256M', join(source, 'sparse')]);
  const archivedir = join(directory, 'archive');
  await mkdir(archivedir);
  const sshd = await bed.startSshd({ home: bed.directory });
  const hosts = Array.from({ length: hostCount }, (_, index) => `web${index + 1}`);
  await bed.configure(
    hosts.map((name) =>
      bed.hostAt(sshd, {
        name,
        srcdirs: [source],
        archivedir,
        archive_schedule: 'never',
        ...(name === hostsOf.zst ? { archive_format: 'tar.zst' } : {}),
      }),
    ),
  );
  await bed.startDaemon();
  const snapshots: Record<string, string> = {};
  for (const host of Object.values(hostsOf)) {
    const run = await bed.backUp(host, BackupType.FULL);
    if (run.state !== RunState.SUCCEEDED) throw new Error(run.error?.message ?? 'the backup failed');
    snapshots[host] = run.snapshot;
  }
  return snapshots;
}

async function carryOut(by: Archiver, place: Place): Promise<Archived> {
  return by === 'tar czf' || by === 'tar | pigz' ? byTar(by, place) : byBusyd(by, place);
}

/** As politely as busyd does it, and with the flush that it cannot do without. */
async function byTar(by: 'tar czf' | 'tar | pigz', { bed, directory, snapshots }: Place): Promise<Archived> {
  const file = join(directory, 'archive', 'by-hand.tar.gz');
  const compress = by === 'tar czf' ? '-z' : '--use-compress-program=pigz';
  const args = [
    '-n',
    '10',
    'tar',
    '-c',
    compress,
    '-f',
    file,
    '-C',
    join(bed.backupdir, hostsOf.gz),
    snapshots[hostsOf.gz] ?? '',
  ];
  const startedAt = performance.now();
  const { code, stderr } = await runCommand('nice', args);
  await runCommand('sync', ['--', file]);
  const seconds = (performance.now() - startedAt) / 1000;
  if (code !== 0) throw new Error(stderr);
  const { size } = await stat(file);
  await remove(file);
  return { by, seconds, writeSeconds: seconds, bytes: size, p99Ms: NaN };
}

/** A deleted archive is in the trash, and its space with it. */
async function emptyTrash(archivedir: string): Promise<void> {
  for (const name of await readdir(archivedir))
    if (name.startsWith('.trash-')) await remove(join(archivedir, name));
}

async function byBusyd(by: Archiver, { bed, directory, snapshots }: Place): Promise<Archived> {
  const host = by === 'busyd, zst' ? hostsOf.zst : hostsOf.gz;
  const snapshot = snapshots[host] ?? '';
  const startedAt = performance.now();
  const done = new AbortController();
  const archiving = archive(bed, host, snapshot).finally(() => done.abort());
  const timesMs: number[] = [];
  if (by === 'busyd, asked')
    while (!done.signal.aborted)
      timesMs.push(...(await timeListHosts(bed.socket, hostsPerPage, callsAtOnce, pauseMs)));
  const run = await archiving;
  const seconds = (performance.now() - startedAt) / 1000;
  if (run.state !== RunState.SUCCEEDED) throw new Error(run.error?.message ?? 'the archive failed');
  const log = await bed.readRunLog(run.id);
  await deleteArchive(bed, host, snapshot);
  await emptyTrash(join(directory, 'archive'));
  return {
    by,
    seconds,
    writeSeconds: Number(/wrote .* in ([\d.]+) s/.exec(log)?.[1] ?? 0),
    bytes: run.archiving?.archiveBytes ?? 0,
    p99Ms: timesMs.length === 0 ? NaN : percentile(timesMs, 99),
  };
}
