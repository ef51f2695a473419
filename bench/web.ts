/**
 * `npm run bench:web`: how soon the page can be used with 200 hosts and 10,000 snapshots, and whether it stays smooth
 * while 20 backups report their progress. Needs chromium. Exit codes: 0 measured, 1 failed, 2 wrong usage.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { ulid } from 'ulid';
import { snapshotName } from '../src/core/snapshot.js';
import { openDatabase } from '../src/store/data-source.js';
import { createRunStore } from '../src/store/runs.js';
import { createSnapshotStore } from '../src/store/snapshots.js';
import { WebBed } from '../test/helpers/web-bed.js';
import { describeMachine, formatMachine } from './machine.js';
import { runBenchmark } from './options.js';
import { startBackups } from './running-backups.js';
import { withScratch } from './scratch.js';
import { percentile } from './statistics.js';
import { hostName, runOf, snapshotOf } from './stock.js';
import { formatTable } from './table.js';
import { writeRandomFile } from './trees.js';

const hostCount = 200;
const snapshotsOfEach = 50;
const backupCount = 20;
const dayMs = 86_400_000;
const sizes = {
  full: { sourceBytes: 256 * 2 ** 20, watchMs: 30_000 },
  quick: { sourceBytes: 128 * 2 ** 20, watchMs: 5_000 },
} as const;

interface Opening {
  /** From the start of the navigation, in milliseconds. */
  readonly firstPaintMs: number;
  /** All hosts are there and the page has nothing to do. */
  readonly usableMs: number;
}

interface Smoothness {
  readonly frameGapsMs: readonly number[];
  readonly longTasksMs: readonly number[];
  readonly seconds: number;
}

await runBenchmark({ defaultRounds: 9 }, async ({ rounds, isQuick, directory, isJson, say, signal }) => {
  const machine = await describeMachine();
  const size = isQuick ? sizes.quick : sizes.full;
  const needed = (backupCount + 2) * size.sourceBytes;
  const figures = await withScratch(directory, needed, async ({ directory: scratch, bed }) => {
    say(`making ${hostCount} hosts with ${snapshotsOfEach} snapshots each`);
    const source = join(scratch, 'source');
    await mkdir(source);
    await writeRandomFile(join(source, 'file.bin'), size.sourceBytes);
    const sshd = await bed.startSshd({ home: bed.directory });
    const hosts = Array.from({ length: hostCount }, (_, index) =>
      bed.hostAt(sshd, { name: hostName(index), srcdirs: [source], bandwidth_limit: '1m' }),
    );
    const database = join(bed.directory, 'busy.db');
    await bed.configure(hosts, { database: `sqlite:${database}`, max_running: 100, stop_grace: 0 });
    await fillHistory(database);
    await bed.startDaemon();
    const { stdout } = await bed.busy(['--json', 'token', 'create', '--role', 'admin']);
    const { token } = JSON.parse(stdout) as { token: string };
    const web = await WebBed.create(bed);
    try {
      const openings: Opening[] = [];
      for (let round = 1; round <= rounds; round++) {
        signal.throwIfAborted();
        say(`round ${round}: opening the page`);
        openings.push(await open(web, token));
      }
      const running = await startBackups(bed, backupCount);
      say(`watching the page while ${backupCount} backups run`);
      const smoothness = await watch(web, token, size.watchMs);
      await running.stop();
      return { openings, smoothness };
    } finally {
      await web.end();
    }
  });
  if (isJson) return JSON.stringify({ machine, rounds, figures }, null, 2);
  return [formatMachine(machine), `Rounds: ${rounds}.`, '', table(figures)].join('\n');
});

/** Each host has had a backup a day. */
async function fillHistory(file: string): Promise<void> {
  const database = await openDatabase({ kind: 'sqlite', path: file });
  const [runs, snapshots] = [createRunStore(database), createSnapshotStore(database)];
  try {
    let revision = 0;
    for (let index = 0; index < hostCount; index++) {
      for (let day = snapshotsOfEach; day > 0; day--) {
        const startedAt = new Date(Date.now() - day * dayMs + index * 1000);
        const base = snapshotOf(hostName(index), ulid(startedAt.getTime()));
        const name = snapshotName(startedAt, 'full');
        const committedAt = new Date(startedAt.getTime() + 600_000);
        const snapshot = { ...base, name, startedAt, committedAt, path: `/srv/backup/${base.host}/${name}` };
        await snapshots.put(snapshot);
        if (day === 1) await runs.add(runOf(snapshot, ++revision));
      }
    }
  } finally {
    await database.close();
  }
}

/** Opens the overview in a new profile, so with nothing in a cache; somebody is logged in already. */
async function open(web: WebBed, token: string): Promise<Opening> {
  const page = await loggedIn(web, token);
  await page.addInitScript(`
    const look = () => {
      if (document.querySelectorAll('tbody tr').length < ${hostCount}) return requestAnimationFrame(look);
      requestAnimationFrame(() => setTimeout(() => { globalThis.usableMs = performance.now(); }));
    };
    requestAnimationFrame(look);
  `);
  await page.goto(web.url);
  await untilTrue(page, 'globalThis.usableMs !== undefined');
  const opening = await page.evaluate<Opening>(`({
    firstPaintMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
    usableMs: globalThis.usableMs,
  })`);
  await page.context().close();
  return opening;
}

async function watch(web: WebBed, token: string, ms: number): Promise<Smoothness> {
  const page = await loggedIn(web, token);
  await page.goto(web.url);
  await untilTrue(page, `document.querySelectorAll('.going li').length >= ${backupCount}`);
  await page.evaluate(`
    globalThis.seen = { frameGapsMs: [], longTasksMs: [] };
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.seen.longTasksMs.push(duration);
    }).observe({ type: 'longtask' });
    let before = performance.now();
    const look = (now) => {
      globalThis.seen.frameGapsMs.push(now - before);
      before = now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    undefined;
  `);
  await delay(ms);
  const seen = await page.evaluate<Omit<Smoothness, 'seconds'>>('globalThis.seen');
  await page.context().close();
  return { ...seen, seconds: ms / 1000 };
}

/** Playwright's own way to wait evaluates texts within the page, which its content policy forbids. */
async function untilTrue(page: Page, condition: string): Promise<void> {
  const limit = performance.now() + 60_000;
  while (!(await page.evaluate<boolean>(condition))) {
    if (performance.now() > limit) throw new Error(`waited in vain for ${condition}`);
    await delay(20);
  }
}

async function loggedIn(web: WebBed, token: string): Promise<Page> {
  const page = await web.open();
  await page.context().request.post(`${web.url}session`, { data: token });
  return page;
}

function table({ openings, smoothness }: { openings: readonly Opening[]; smoothness: Smoothness }): string {
  const { frameGapsMs, longTasksMs, seconds } = smoothness;
  const usable = openings.map(({ usableMs }) => usableMs);
  const worst = Math.max(0, ...longTasksMs);
  return formatTable([
    ['what', 'measured', 'goal'],
    [
      'first paint, median',
      inMs(
        percentile(
          openings.map(({ firstPaintMs }) => firstPaintMs),
          50,
        ),
      ),
      '',
    ],
    [
      'can be used, median',
      inMs(percentile(usable, 50)),
      goal(percentile(usable, 50) < 1000, 'below 1000 ms'),
    ],
    ['can be used, worst', inMs(Math.max(...usable)), ''],
    ['frames a second', (frameGapsMs.length / seconds).toFixed(1), ''],
    ['gap between frames, p50', inMs(percentile(frameGapsMs, 50)), ''],
    [
      'gap between frames, p99',
      inMs(percentile(frameGapsMs, 99)),
      goal(percentile(frameGapsMs, 99) < 100, 'below 100 ms'),
    ],
    ['tasks above 50 ms, a minute', ((longTasksMs.length * 60) / seconds).toFixed(1), ''],
    ['longest task', longTasksMs.length === 0 ? 'below 50 ms' : inMs(worst), ''],
  ]);
}

function goal(isMet: boolean, words: string): string {
  return `${words}: ${isMet ? 'met' : 'missed'}`;
}

function inMs(value: number): string {
  return `${Math.round(value)} ms`;
}
