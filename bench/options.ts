/** What all benchmarks have in common: their options, where they write, and how they end. */
import { parseArgs } from 'node:util';

export interface BenchmarkOptions {
  readonly rounds: number;
  /** Small trees and one round: shows that it works, not how fast. */
  readonly isQuick: boolean;
  readonly isJson: boolean;
  /** Where the scratch directory is made; undefined: where the system wants temporary files. */
  readonly directory: string | undefined;
  /** The sections that were chosen; null: none was, so all of them. */
  readonly only: readonly string[] | null;
  /** A line of progress, on the standard error stream. */
  readonly say: (line: string) => void;
  /** Aborted by Ctrl-C; the benchmark then cleans up. */
  readonly signal: AbortSignal;
}

const usage = 'Options: [--rounds N] [--quick] [--json] [--dir DIRECTORY]';

interface Defaults {
  readonly defaultRounds: number;
  /** Parts that can be carried out alone. */
  readonly sections?: readonly string[];
}

/** Reads the options, carries the benchmark out and prints the text that it answers. Sets the exit code. */
export async function runBenchmark(
  defaults: Defaults,
  work: (options: BenchmarkOptions) => Promise<string>,
): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort());
  const options = readOptions(defaults);
  if (options === null) {
    say(usageOf(defaults));
    process.exitCode = 2;
    return;
  }
  try {
    const text = await work({ ...options, say, signal: interrupt.signal });
    process.stdout.write(`${text}\n`);
  } catch (error) {
    say(interrupt.signal.aborted ? 'Interrupted.' : error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function usageOf({ sections = [] }: Defaults): string {
  return sections.length === 0 ? usage : `${usage} [--only SECTION,...]; sections: ${sections.join(', ')}`;
}

function readOptions({
  defaultRounds,
  sections = [],
}: Defaults): Omit<BenchmarkOptions, 'say' | 'signal'> | null {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        dir: { type: 'string' },
        only: { type: 'string' },
      },
    });
    const rounds = Number(values.rounds ?? (values.quick ? 1 : defaultRounds));
    if (!Number.isInteger(rounds) || rounds < 1) return null;
    const only = values.only?.split(',') ?? null;
    if (only?.some((name) => !sections.includes(name))) return null;
    return { rounds, isQuick: values.quick, isJson: values.json, directory: values.dir, only };
  } catch {
    return null;
  }
}
