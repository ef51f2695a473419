/**
 * `npm run soak`: a daemon with a fleet of hosts, a small disk and a database of its own, under random faults; its
 * promises are checked all the while. Exit codes: 0 all were kept, 1 one was not or it was interrupted, 2 wrong
 * usage.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { describeReport } from './fleet/fleet-report.js';
import { soakFleet } from './fleet/fleet-run.js';
import { canHaveOwnWorld, isInside, runInside, settleInside } from './fleet/own-world.js';

const usage = 'Options: [--minutes N] [--seed N] [--hosts N] [--database mariadb|sqlite] [--verbose]';

interface Wish {
  readonly seed: number;
  readonly minutes: number;
  readonly hosts: number;
  readonly database: 'mariadb' | 'sqlite';
  readonly isVerbose: boolean;
}

const wish = readOptions();
if (wish === null) {
  say(usage);
  process.exitCode = 2;
} else if (!isInside() && (await canHaveOwnWorld())) {
  process.exitCode = await runInside();
} else {
  // Not by itself: what has failed may have left something that goes on for ever.
  process.exit(await carryOut(wish));
}

async function carryOut({ isVerbose, ...options }: Wish): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  if (isInside()) await settleInside(interrupt);
  say(`seed ${options.seed}`);
  try {
    const report = await soakFleet({
      ...options,
      signal: interrupted.signal,
      onLine: (line) => {
        if (isVerbose) say(line);
      },
      onProgress: say,
      onFailure: say,
      keepsRemains: true,
    });
    if (report === null) return 1;
    say(describeReport(report));
    if (interrupted.signal.aborted) {
      say(`seed ${options.seed}: interrupted; until then no promise was broken`);
      return 1;
    }
    say(`seed ${options.seed}: no promise was broken`);
    return 0;
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 1;
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function readOptions(): Wish | null {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string' },
        minutes: { type: 'string', default: '30' },
        hosts: { type: 'string', default: '30' },
        database: { type: 'string', default: 'mariadb' },
        verbose: { type: 'boolean', default: false },
      },
    });
    const seed = Number(values.seed ?? randomInt(2 ** 31));
    const minutes = Number(values.minutes);
    const hosts = Number(values.hosts);
    const { database } = values;
    if (!Number.isInteger(seed) || seed < 0 || !(minutes > 0) || !Number.isInteger(hosts)) return null;
    if (hosts < 1 || hosts > 99 || (database !== 'mariadb' && database !== 'sqlite')) return null;
    return { seed, minutes, hosts, database, isVerbose: values.verbose };
  } catch {
    return null;
  }
}
