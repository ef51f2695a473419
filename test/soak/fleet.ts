/**
 * `npm run soak`: a daemon with a fleet of hosts, a small disk and a database of its own, under random faults; its
 * promises are checked all the while. Exit codes: 0 all were kept, 1 one was not, 2 wrong usage.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { runCommand } from '../helpers/run-command.js';
import { describeReport } from './fleet/fleet-report.js';
import { soakFleet } from './fleet/fleet-run.js';

const namespaces = ['--net', '--mount', '--propagation', 'private'];
const usage = 'Options: [--minutes N] [--seed N] [--hosts N] [--database mariadb|sqlite] [--verbose]';
const insideMark = 'BUSY_SOAK_INSIDE';

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
} else if (process.env[insideMark] === undefined && (await canUnshare())) {
  process.exitCode = await runInside();
} else {
  await carryOut(wish);
}

async function carryOut({ isVerbose, ...options }: Wish): Promise<void> {
  if (process.env[insideMark] !== undefined) await runCommand('ip', ['link', 'set', 'lo', 'up']);
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
  say(`seed ${options.seed}`);
  try {
    const report = await soakFleet({
      ...options,
      signal: interrupted.signal,
      onLine: (line) => {
        if (isVerbose) say(line);
      },
      onProgress: say,
      keepsRemains: true,
    });
    say(describeReport(report));
    say(`seed ${options.seed}: no promise was broken`);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

/** Whether this user may have a network and mounts of his own. */
async function canUnshare(): Promise<boolean> {
  const { code } = await runCommand('unshare', [...namespaces, 'true']).catch(() => ({ code: null }));
  return code === 0;
}

/** The same once more, in a network that leads nowhere, and with mounts that nobody else sees. */
async function runInside(): Promise<number> {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', [...namespaces, ...again], {
    stdio: 'inherit',
    env: { ...process.env, [insideMark]: '1' },
  });
  // A terminal sends its own to both.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  await once(child, 'exit');
  return child.exitCode ?? 1;
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
