/**
 * `npm run bench:scheduling`: how long one look at ten thousand hosts takes, over a simulated evening. Exit codes:
 * 0 measured, 1 failed, 2 wrong usage.
 */
import { DueRules } from '../src/core/due.js';
import { describeMachine, formatMachine } from './machine.js';
import { runBenchmark } from './options.js';
import { fleetSize, measureScheduler, passGoalMs, passStepMs } from './scheduler-passes.js';
import { SchedulingFleet } from './scheduling-fleet.js';
import { percentile } from './statistics.js';
import { formatTable } from './table.js';

/** Four hours of an evening, in which most schedules of the fleet come. */
const passes = { full: 720, quick: 90 } as const;

interface Figure {
  readonly what: string;
  /** The median of all rounds. */
  readonly valueMs: number;
  readonly isMet: boolean;
}

await runBenchmark({ defaultRounds: 1 }, async ({ rounds, isQuick, isJson, say, signal }) => {
  const machine = await describeMachine();
  const passCount = isQuick ? passes.quick : passes.full;
  const measured: Record<string, number>[] = [];
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round}: the rules alone`);
    const rules = await measureRules(passCount, signal);
    say(`round ${round}: the whole scheduler`);
    const scheduler = await measureScheduler(passCount, signal);
    measured.push({ ...figuresOf('rules alone', rules), ...figuresOf('scheduler', scheduler) });
  }
  const figures = judge(measured);
  if (isJson) return JSON.stringify({ machine, hostCount: fleetSize, passCount, measured, figures }, null, 2);
  const rows = figures.map(({ what, valueMs, isMet }) => [
    what,
    `${valueMs.toFixed(1)} ms`,
    `at most ${passGoalMs}: ${isMet ? 'met' : 'missed'}`,
  ]);
  return [
    formatMachine(machine),
    `${fleetSize} hosts with 10 snapshots each, ${passCount} passes 20 s apart. Median of the rounds: ${rounds}.`,
    '',
    formatTable([['one pass over all hosts', 'measured', 'goal'], ...rows]),
  ].join('\n');
});

/** The decisions only; between the passes the fleet goes on living, which is not measured. */
async function measureRules(passCount: number, signal: AbortSignal): Promise<number[]> {
  const fleet = await SchedulingFleet.create(fleetSize);
  const rules = new DueRules();
  const timesMs: number[] = [];
  for (let pass = 0; pass < passCount; pass++) {
    signal.throwIfAborted();
    const startedAt = performance.now();
    fleet.decideAll(rules);
    timesMs.push(performance.now() - startedAt);
    await fleet.scheduler.look();
    fleet.advance(passStepMs);
  }
  return timesMs;
}

function figuresOf(what: string, [first = NaN, ...following]: readonly number[]): Record<string, number> {
  return {
    [`${what}, first pass`]: first,
    [`${what}, following passes, p50`]: percentile(following, 50),
    [`${what}, following passes, p99`]: percentile(following, 99),
    [`${what}, following passes, slowest`]: percentile(following, 100),
  };
}

function judge(measured: readonly Record<string, number>[]): Figure[] {
  return Object.keys(measured[0] ?? {}).map((what) => {
    const valueMs = percentile(
      measured.map((round) => round[what] ?? NaN),
      50,
    );
    return { what, valueMs, isMet: valueMs <= passGoalMs };
  });
}
