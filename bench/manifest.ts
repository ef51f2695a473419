/**
 * `npm run bench:manifest`: what the manifest of a snapshot costs when all is new, when nothing has changed, and when
 * all is read again. Without ssh and rsync: only what comes after them. Exit codes: 0 measured, 1 failed, 2 wrong usage.
 */
import { mkdir, mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiskThreadOptions, workOnDisk } from '../src/execute/disk-thread.js';
import { runCommand } from '../test/helpers/run-command.js';
import { describeMachine, formatMachine } from './machine.js';
import { runBenchmark } from './options.js';
import { remove, settleDisk } from './scratch.js';
import { spreadOf } from './statistics.js';
import { formatTable } from './table.js';
import { makeSmallFiles } from './trees.js';

const steps = ['full', 'incremental', 'verify'] as const;
type Step = (typeof steps)[number];

interface Measured {
  readonly step: Step;
  readonly seconds: number;
  /** User and system. */
  readonly cpuSeconds: number;
  readonly filesRead: number;
  readonly bytesRead: number;
  /** Of the manifest; 0 where none is written. */
  readonly manifestBytes: number;
  /** The most resident memory that the process has had by then. */
  readonly memoryMiB: number;
}

// Threads run what is compiled.
const { workOnDisk: work } = (await import(
  new URL('../dist/src/execute/disk-thread.js', import.meta.url).href
)) as { workOnDisk: typeof workOnDisk };

await runBenchmark({ defaultRounds: 3 }, async ({ rounds, isQuick, directory, isJson, say, signal }) => {
  const fileCount = isQuick ? 5_000 : 200_000;
  const machine = await describeMachine();
  const scratch = await mkdtemp(join(directory ?? tmpdir(), 'busy-bench-'));
  try {
    say(`making ${fileCount} files`);
    const trees = { full: join(scratch, 'full'), base: join(scratch, 'base'), next: join(scratch, 'next') };
    for (const tree of Object.values(trees)) await mkdir(tree);
    await mkdir(join(trees.full, 'data'));
    await makeSmallFiles(join(trees.full, 'data', 'tree'), fileCount);
    await runCommand('cp', ['-a', join(trees.full, 'data'), trees.base]);
    await runCommand('cp', ['-al', join(trees.base, 'data'), trees.next]);
    const records: Measured[] = [];
    const options = { signal, isIdle: false, say: () => {}, onProgress: () => {} };
    await made(trees.base, [], options);
    for (let round = 1; round <= rounds; round++) {
      for (const step of steps) {
        signal.throwIfAborted();
        await settleDisk(scratch);
        const measured = await carryOut(step, trees, options);
        say(`round ${round} of ${rounds}: ${step}: ${measured.seconds.toFixed(2)} s`);
        records.push(measured);
      }
      for (const tree of [trees.full, trees.next]) await remove(join(tree, 'manifest.gz'));
    }
    if (isJson) return JSON.stringify({ machine, rounds, fileCount, records }, null, 2);
    return `${formatMachine(machine)}\n${fileCount} files of 0.5 to 8 KiB, in memory; median (and range) of ${rounds} rounds\n\n${table(records, fileCount)}`;
  } finally {
    await remove(scratch);
  }
});

interface Trees {
  /** Its files have one name each, as those that were just copied. */
  readonly full: string;
  readonly base: string;
  /** Links into the base. */
  readonly next: string;
}

async function carryOut(step: Step, trees: Trees, options: DiskThreadOptions): Promise<Measured> {
  const startedAt = performance.now();
  const cpuBefore = cpuSeconds();
  const ways = {
    full: () => made(trees.full, [], options),
    incremental: () => made(trees.next, [trees.base], options),
    verify: () => read(trees.base, options),
  };
  const done = await ways[step]();
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    step,
    seconds,
    cpuSeconds: cpuSeconds() - cpuBefore,
    ...done,
    memoryMiB: process.resourceUsage().maxRSS / 1024,
  };
}

type Done = Pick<Measured, 'filesRead' | 'bytesRead' | 'manifestBytes'>;

async function made(directory: string, bases: readonly string[], options: DiskThreadOptions): Promise<Done> {
  const { hashedFiles, hashedBytes } = await work('manifest', { directory, bases }, options);
  const { size } = await stat(join(directory, 'manifest.gz'));
  return { filesRead: hashedFiles, bytesRead: hashedBytes, manifestBytes: size };
}

async function read(directory: string, options: DiskThreadOptions): Promise<Done> {
  const snapshots = [{ name: 'base', directory, mustHaveManifest: true }];
  const report = await work('comparison', { snapshots, parts: null }, options);
  if (report.differenceCount > 0) throw new Error('The files have changed meanwhile.');
  return { filesRead: report.filesRead, bytesRead: report.bytesRead, manifestBytes: 0 };
}

/** Seconds and bytes for a million files, in proportion. */
function table(records: readonly Measured[], fileCount: number): string {
  const scale = 1_000_000 / fileCount;
  const rows = steps.map((step) => {
    const of = records.filter((record) => record.step === step);
    const { median, min, max } = spreadOf(of.map(({ seconds }) => seconds));
    const [first] = of;
    return [
      step,
      `${median.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`,
      (median * scale).toFixed(1),
      (spreadOf(of.map((record) => record.cpuSeconds)).median * scale).toFixed(1),
      String(first?.filesRead ?? 0),
      mib(first?.bytesRead ?? 0),
      first?.manifestBytes === 0 ? '' : mib((first?.manifestBytes ?? 0) * scale),
      Math.max(...of.map(({ memoryMiB }) => memoryMiB)).toFixed(0),
    ];
  });
  const head = [
    'step',
    'wall s',
    's per million',
    'CPU s per million',
    'files read',
    'MiB read',
    'manifest MiB per million',
    'memory MiB',
  ];
  return formatTable([head, ...rows]);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
