/**
 * `npm run bench`: BUSY beside what people use today, in one table. Exit codes: 0 measured, 1 failed in part or
 * interrupted, 2 wrong usage.
 */
import { describeMachine, formatMachine } from './machine.js';
import { formatOneTable, judgeRow, type Row } from './one-table.js';
import { runBenchmark, type BenchmarkOptions } from './options.js';
import { peerNames, type Absence, type Failure } from './peers/all-peers.js';
import { archive } from './sections/archive.js';
import { control } from './sections/control.js';
import { expiry } from './sections/expiry.js';
import { scheduler } from './sections/scheduler.js';
import type { Section } from './sections/section.js';
import { large, many, mixed } from './sections/trees.js';

const sections: readonly Section[] = [large, many, mixed, archive, expiry, control, scheduler];

interface Measured {
  readonly rows: readonly Row[];
  readonly absent: readonly Absence[];
  /** Others that failed. */
  readonly failures: readonly Failure[];
  /** Sections that could not be measured, as sentences. */
  readonly unmeasured: readonly string[];
}

await runBenchmark(
  { defaultRounds: 3, sections: sections.map(({ name }) => name), largeMiB: { usual: 1024, quick: 16 } },
  async (options) => {
    const { rounds, isQuick, isJson, only } = options;
    const machine = await describeMachine();
    const usual = isQuick ? sections.filter(({ isLikeAnother }) => !isLikeAnother) : sections;
    const chosen = only === null ? usual : sections.filter(({ name }) => only.includes(name));
    const { rows, absent, failures, unmeasured } = await measureAll(chosen, options);
    const judged = rows.map(judgeRow);
    if (failures.length + unmeasured.length > 0) process.exitCode = 1;
    if (isJson)
      return JSON.stringify({ machine, rounds, rows: judged, absent, failures, unmeasured }, null, 2);
    return [
      formatMachine(machine),
      `Median of ${rounds} rounds. Below the names of others: the time of BUSY divided by theirs, so below 1 BUSY is faster.`,
      ...chosen.map((section) => `- ${section.describe(options)}`),
      '',
      formatOneTable(judged, peerNames, absent, failures),
      ...unmeasured,
    ].join('\n');
  },
);

/** A section that fails takes nothing from the others; after Ctrl-C those that were done are still told. */
async function measureAll(chosen: readonly Section[], options: BenchmarkOptions): Promise<Measured> {
  const rows: Row[] = [];
  const absent = new Map<string, Absence>();
  const failures: Failure[] = [];
  const unmeasured: string[] = [];
  for (const section of chosen) {
    if (options.signal.aborted) break;
    try {
      const result = await section.measure(options);
      rows.push(...result.rows);
      for (const one of result.absent) absent.set(one.name, one);
      failures.push(...result.failures);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      unmeasured.push(
        `Not measured: ${section.name} (${options.signal.aborted ? 'it was interrupted' : why}).`,
      );
    }
  }
  return { rows, absent: [...absent.values()], failures, unmeasured };
}
