/**
 * `npm run bench:archive`: an archive run of busyd beside `tar czf` and `tar | pigz` on the same snapshot; and, in runs of
 * their own, how fast ListHosts answers meanwhile. Exit codes: 0 measured, 1 failed, 2 wrong usage.
 */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupType, RunState } from '../src/gen/busy/v1/run.js';
import { archive, deleteArchive } from '../test/helpers/archive-calls.js';
import { runCommand } from '../test/helpers/run-command.js';
import type { TestBed } from '../test/helpers/test-bed.js';
import { measureListHosts } from './list-hosts.js';
import { describeMachine, formatMachine } from './machine.js';
import { runBenchmark } from './options.js';
import { remove, settleDisk, withScratch } from './scratch.js';
import { percentile, spreadOf } from './statistics.js';
import { formatTable } from './table.js';
import { makeMixedTree } from './trees.js';

const contestants = ['tar czf', 'tar | pigz', 'busyd', 'busyd, zst', 'busyd, asked'] as const;
type Contestant = (typeof contestants)[number];

interface Measured {
  readonly by: Contestant;
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
const archived = { gz: 'web1', zst: 'web2' };

await runBenchmark(
  { defaultRounds: 3 },
  async ({ rounds, isQuick, directory: parent, isJson, say, signal }) => {
    const machine = await describeMachine();
    const sizes = isQuick ? { files: 1000, mib: 16 } : { files: 20_000, mib: 200 };
    return withScratch(
      parent,
      sizes.mib * 12 * 2 ** 20 + sizes.files * 20_000,
      async ({ directory, bed }) => {
        say('making the tree and its snapshot');
        const snapshots = await prepare(bed, directory, sizes);
        const records: Measured[] = [];
        for (let round = 0; round < rounds; round++) {
          for (let turn = 0; turn < contestants.length; turn++) {
            signal.throwIfAborted();
            const by = contestants[(round + turn) % contestants.length] ?? 'busyd';
            await settleDisk(directory);
            const measured = await carryOut(by, { bed, directory, snapshots });
            say(`round ${round + 1} of ${rounds}: ${by}: ${measured.seconds.toFixed(2)} s`);
            records.push(measured);
          }
        }
        if (isJson) return JSON.stringify({ machine, rounds, sizes, records }, null, 2);
        const about = `${sizes.files} small files, 3 of ${sizes.mib} MiB (text, mixed, random), one of 256 MiB without content; median (and range) of ${rounds} rounds`;
        return `${formatMachine(machine)}\n${about}\n\n${table(records)}`;
      },
    );
  },
);

interface Place {
  readonly bed: TestBed;
  readonly directory: string;
  /** The names of the snapshots, by host. */
  readonly snapshots: Readonly<Record<string, string>>;
}

async function prepare(
  bed: TestBed,
  directory: string,
  { files, mib }: { readonly files: number; readonly mib: number },
): Promise<Record<string, string>> {
  const source = join(directory, 'source');
  await makeMixedTree(source, { files, mib });
  await runCommand('truncate', ['-s', '256M', join(source, 'sparse')]);
  const archivedir = join(directory, 'archive');
  await mkdir(archivedir);
  const sshd = await bed.startSshd();
  const hosts = Array.from({ length: hostCount }, (_, index) => `web${index + 1}`);
  await bed.configure(
    hosts.map((name) =>
      bed.hostAt(sshd, {
        name,
        srcdirs: [source],
        archivedir,
        archive_schedule: 'never',
        ...(name === archived.zst ? { archive_format: 'tar.zst' } : {}),
      }),
    ),
  );
  await bed.startDaemon();
  const snapshots: Record<string, string> = {};
  for (const host of Object.values(archived)) {
    const run = await bed.backUp(host, BackupType.FULL);
    if (run.state !== RunState.SUCCEEDED) throw new Error(run.error?.message ?? 'the backup failed');
    snapshots[host] = run.snapshot;
  }
  return snapshots;
}

async function carryOut(by: Contestant, place: Place): Promise<Measured> {
  return by === 'tar czf' || by === 'tar | pigz' ? byTar(by, place) : byBusyd(by, place);
}

/** As politely as busyd does it, and with the flush that it cannot do without. */
async function byTar(by: 'tar czf' | 'tar | pigz', { bed, directory, snapshots }: Place): Promise<Measured> {
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
    join(bed.backupdir, archived.gz),
    snapshots[archived.gz] ?? '',
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

async function byBusyd(by: Contestant, { bed, directory, snapshots }: Place): Promise<Measured> {
  const host = by === 'busyd, zst' ? archived.zst : archived.gz;
  const snapshot = snapshots[host] ?? '';
  const startedAt = performance.now();
  const done = new AbortController();
  const archiving = archive(bed, host, snapshot).finally(() => done.abort());
  const p99sMs: number[] = [];
  if (by === 'busyd, asked')
    while (!done.signal.aborted)
      p99sMs.push((await measureListHosts(bed.socket, hostsPerPage, callsAtOnce, pauseMs)).p99Ms);
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
    p99Ms: p99sMs.length === 0 ? NaN : percentile(p99sMs, 50),
  };
}

function table(records: readonly Measured[]): string {
  const of = (by: Contestant): Measured[] => records.filter((record) => record.by === by);
  const ratio = (by: Contestant, to: Contestant, value: (one: Measured) => number): string =>
    spreadOf(of(by).map((one, round) => value(one) / (of(to)[round]?.seconds ?? NaN))).median.toFixed(2);
  const rows = contestants.map((by) => {
    const { median, min, max } = spreadOf(of(by).map(({ seconds }) => seconds));
    return [
      by,
      `${median.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`,
      ratio(by, 'tar czf', ({ seconds }) => seconds),
      ratio(by, 'tar | pigz', ({ seconds }) => seconds),
      spreadOf(of(by).map(({ writeSeconds }) => writeSeconds)).median.toFixed(2),
      ratio(by, 'tar | pigz', ({ writeSeconds }) => writeSeconds),
      (spreadOf(of(by).map(({ bytes }) => bytes)).median / 2 ** 20).toFixed(0),
      by === 'busyd, asked' ? spreadOf(of(by).map(({ p99Ms }) => p99Ms)).median.toFixed(1) : '',
    ];
  });
  const head = [
    'by',
    'wall s',
    'to tar czf',
    'to tar | pigz',
    'writing alone s',
    'to tar | pigz',
    'MiB',
    'ListHosts p99 ms',
  ];
  return formatTable([head, ...rows]);
}
