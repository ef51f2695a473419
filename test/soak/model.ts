/**
 * `npm run soak:model`: random changes of files, backups, crashes, restarts and removals, against a model that knows what
 * every snapshot must hold. Exit codes: 0 all was as it should be, 1 it was not, 2 wrong usage.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { soak, type SoakReport } from './soak-run.js';

const usage = 'Options: [--seed N] [--steps N] [--minutes N] [--verbose]';
const linesEvery = 50;

interface Wish {
  readonly seed: number;
  readonly steps: number;
  readonly minutes: number;
  readonly isVerbose: boolean;
}

const wish = readOptions();
if (wish === null) {
  say(usage);
  process.exitCode = 2;
} else {
  await carryOut(wish);
}

async function carryOut({ seed, steps, minutes, isVerbose }: Wish): Promise<void> {
  let isInterrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (isInterrupted = true));
  const startedAt = performance.now();
  const minutesGone = (): number => (performance.now() - startedAt) / 60_000;
  let done = 0;
  say(`seed ${seed}`);
  try {
    const report = await soak({
      seed,
      steps,
      isOver: () => isInterrupted || minutesGone() >= minutes,
      onStep: (line) => {
        done += 1;
        if (isVerbose || done % linesEvery === 0) say(`${minutesGone().toFixed(1)} min  ${line}`);
      },
      keepsRemains: true,
    });
    say(describe(report));
    say(`seed ${seed}: no disagreement, in ${minutesGone().toFixed(1)} minutes`);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

function describe({
  steps,
  snapshotsMade,
  snapshotsRemoved,
  snapshotsCompared,
  actions,
}: SoakReport): string {
  const counts = [...actions].map(([name, count]) => `  ${String(count).padStart(5)}  ${name}`);
  const snapshots = `${snapshotsMade} snapshots were made, ${snapshotsRemoved} removed`;
  return [`${steps} steps; ${snapshots}, older ones compared ${snapshotsCompared} times.`, ...counts].join(
    '\n',
  );
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function readOptions(): Wish | null {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string' },
        steps: { type: 'string' },
        minutes: { type: 'string' },
        verbose: { type: 'boolean', default: false },
      },
    });
    const seed = Number(values.seed ?? randomInt(2 ** 31));
    const steps = Number(values.steps ?? (values.minutes === undefined ? 2000 : Number.MAX_SAFE_INTEGER));
    const minutes = Number(values.minutes ?? Infinity);
    const isRight =
      Number.isInteger(seed) && seed >= 0 && Number.isInteger(steps) && steps > 0 && minutes > 0;
    return isRight ? { seed, steps, minutes, isVerbose: values.verbose } : null;
  } catch {
    return null;
  }
}
